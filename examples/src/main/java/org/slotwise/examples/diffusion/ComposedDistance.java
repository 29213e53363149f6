package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.slotwise.data.Scenes;
import org.slotwise.distance.FrechetDistance;
import org.slotwise.distance.KernelDistance;
import org.slotwise.distance.KernelSubsets;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.examples.diffusion.TwoDecoders.By;
import org.slotwise.examples.shared.DistanceFeatures;
import org.slotwise.examples.shared.SetOfPictures;

/**
 * How far composed pictures are from real ones, by both decoders. Pictures are made batch by batch,
 * and none is kept.
 *
 * @param features in which features
 * @param decoders what makes pictures
 * @param composer which slots are put together
 * @param seed what the first compositions and noise are drawn from; the next ones from the next
 * @param repeats how often pictures are composed
 */
record ComposedDistance(
        PictureFeatures features, TwoDecoders decoders, Composer composer, int seed, int repeats) {

    /** What the two distances are. */
    private record Values(double frechet, double kernel) {}

    /**
     * Prints distances to real pictures.
     *
     * @param real those that slots are of
     * @param others others, for the floor
     */
    void report(PrintWriter out, Scenes real, Scenes others) throws IOException {
        long count = real.size();
        try (NDManager manager = NDManager.newBaseManager();
                SetOfPictures known = set("real pictures", real, manager, out)) {
            out.printf(
                    "Distances of %d pictures to the %d that slots are of. Features: %s.%n",
                    count, count, features.description());
            if (!features.isInception()) {
                out.println(DistanceFeatures.NO_FID);
            }
            if (count <= known.statistics().featureDim()) {
                out.println(DistanceFeatures.FEW);
            }
            boolean fid = features.isInception();
            out.printf("%-30s %26s %28s%n", "", fid ? "FID" : "Frechet", fid ? "KID" : "kernel");
            row(out, known, "other pictures", others);
            for (By by : By.values()) {
                row(out, known, "the same, " + words(by), decoders.again(by, seed));
            }
            for (By by : By.values()) {
                Scenes[] made = new Scenes[repeats];
                Arrays.setAll(made, i -> decoders.composed(by, composer, seed + i, count));
                row(out, known, "composed, " + words(by), made);
            }
        }
    }

    private static String words(By by) {
        return by == By.DIFFUSION ? "by diffusion" : "by the first stage";
    }

    private SetOfPictures set(String name, Scenes pictures, NDManager manager, PrintWriter out)
            throws IOException {
        return SetOfPictures.of(name, pictures, features, MadePictures.BATCH, 0, manager, out);
    }

    /** A mean over several sets, with the lowest and the highest. */
    private void row(PrintWriter out, SetOfPictures real, String what, Scenes... sets)
            throws IOException {
        double[] frechet = new double[sets.length];
        double[] kernel = new double[sets.length];
        for (int i = 0; i < sets.length; i++) {
            Values values = measured(out, real, what, sets[i]);
            frechet[i] = values.frechet();
            kernel[i] = values.kernel();
        }
        out.printf("%-30s %26s %28s%n", what, words(frechet, "%.4g"), words(kernel, "%.3g"));
        out.flush();
    }

    private Values measured(PrintWriter out, SetOfPictures real, String what, Scenes pictures)
            throws IOException {
        try (NDManager manager = NDManager.newBaseManager();
                SetOfPictures other = set(what, pictures, manager, out)) {
            return new Values(
                    FrechetDistance.of(real.statistics(), other.statistics()).value(),
                    KernelDistance.of(
                                    Objects.requireNonNull(real.collection()).sample(manager),
                                    Objects.requireNonNull(other.collection()).sample(manager),
                                    KernelSubsets.STANDARD)
                            .value());
        }
    }

    private static String words(double[] values, String format) {
        String mean = number(format, Arrays.stream(values).average().orElse(Double.NaN));
        return values.length == 1
                ? mean
                : mean
                        + " ("
                        + number(format, Arrays.stream(values).min().orElse(Double.NaN))
                        + " to "
                        + number(format, Arrays.stream(values).max().orElse(Double.NaN))
                        + ")";
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
