package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.slotwise.composition.SlotRenderer;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.diffusion.Sampling;
import org.slotwise.distance.FeatureCollection;
import org.slotwise.distance.FrechetDistance;
import org.slotwise.distance.KernelDistance;
import org.slotwise.distance.KernelSubsets;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.examples.shared.Prompt;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.slate.SlotChoice;

/**
 * How far composed pictures are from real ones, by both decoders, in the features of the model's
 * own encoder.
 */
final class ComposedDistance {

    private static final int BATCH = 32;

    private final LatentSlotDiffusion model;
    private final Sampling sampling;
    private final int seed;

    ComposedDistance(LatentSlotDiffusion model, Sampling sampling, int seed) {
        this.model = model;
        this.sampling = sampling;
        this.seed = seed;
    }

    /** Makes pictures (B, 3, S, S) in [0, 1] of some numbers. */
    @FunctionalInterface
    private interface Made {
        NDArray at(NDManager manager, int from, int to) throws IOException;
    }

    /**
     * Prints distances to real pictures.
     *
     * @param pictures those that slots are of, as many as there are compositions, and others
     * @param compositions which slots are put together, as many in each
     */
    void report(PrintWriter out, Scenes pictures, List<List<SlotChoice>> compositions)
            throws IOException {
        int count = compositions.size();
        try (NDManager manager = NDManager.newBaseManager();
                FeatureCollection real = new FeatureCollection(count, 0)) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList objects = new NDList();
            NDList placed = new NDList();
            for (int from = 0; from < count; from += BATCH) {
                try (NDManager batch = manager.newSubManager()) {
                    NDArray images = images(batch, pictures, from, Math.min(from + BATCH, count));
                    ObjectDiscoveryOutput seen = model.discovery().discover(store, images, false);
                    objects.add(model.slots(store, images, false).objects());
                    placed.add(seen.slots().objects().concat(seen.slotPositions(), 2));
                    objects.get(objects.size() - 1).attach(manager);
                    placed.get(placed.size() - 1).attach(manager);
                }
            }
            NDArray slots = NDArrays.concat(objects);
            NDArray first = NDArrays.concat(placed);
            SlotRenderer decoder =
                    SlotRenderer.of(
                            (ShapeAndColourDecoder) model.discovery().parts().get("decoder"),
                            store);
            SlotRenderer drawn = some -> model.generate(store, some, sampling, seed);
            collect(real, count, (own, a, b) -> images(own, pictures, a, b));
            out.printf(
                    "Distances of %d pictures to the %d that slots are of, in the features of this"
                            + " model's encoder. These numbers compare only with others in the same"
                            + " features, of as many pictures. They are no FID and no KID.%n",
                    count, count);
            out.printf("%-34s %10s %10s%n", "", "Frechet", "kernel");
            int others = (int) pictures.size();
            row(
                    out,
                    "other pictures",
                    real,
                    others - count,
                    (own, a, b) -> images(own, pictures, count + a, count + b));
            row(
                    out,
                    "the same, by the first stage",
                    real,
                    count,
                    (own, a, b) -> decoder.render(part(own, first, a, b)));
            row(
                    out,
                    "the same, by diffusion",
                    real,
                    count,
                    (own, a, b) -> drawn.render(part(own, slots, a, b)));
            row(
                    out,
                    "composed, by the first stage",
                    real,
                    count,
                    (own, a, b) -> decoder.render(chosen(own, first, compositions, a, b)));
            row(
                    out,
                    "composed, by diffusion",
                    real,
                    count,
                    (own, a, b) -> drawn.render(chosen(own, slots, compositions, a, b)));
        }
    }

    private void row(PrintWriter out, String what, FeatureCollection real, int count, Made made)
            throws IOException {
        try (FeatureCollection other = new FeatureCollection(count, 0);
                NDManager manager = NDManager.newBaseManager()) {
            collect(other, count, made);
            double frechet = FrechetDistance.of(real.statistics(), other.statistics()).value();
            KernelDistance kernel =
                    KernelDistance.of(
                            real.sample(manager), other.sample(manager), KernelSubsets.STANDARD);
            out.printf(Locale.ROOT, "%-34s %10.4g %10.3g%n", what, frechet, kernel.value());
            out.flush();
        }
    }

    /** Features: the mean of the encoder's over all places. */
    private void collect(FeatureCollection into, int count, Made made) throws IOException {
        FeatureExtractor encoder = (FeatureExtractor) model.discovery().parts().get("encoder");
        for (int from = 0; from < count; from += BATCH) {
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray images = made.at(manager, from, Math.min(from + BATCH, count)).clip(0, 1);
                ParameterStore store = new ParameterStore(manager, false);
                into.add(encoder.extract(store, images, false).features().mean(new int[] {1}));
            }
        }
    }

    private static NDArray images(NDManager manager, Scenes pictures, int from, int to)
            throws IOException {
        return SceneArrays.images(manager, pictures, LongStream.range(from, to).toArray());
    }

    private static NDArray part(NDManager manager, NDArray slots, int from, int to) {
        NDArray part = slots.get(from + ":" + to);
        part.attach(manager);
        return part;
    }

    private static NDArray chosen(
            NDManager manager, NDArray slots, List<List<SlotChoice>> chosen, int from, int to) {
        NDList each = new NDList();
        for (List<SlotChoice> one : chosen.subList(from, to)) {
            each.add(new Prompt(one).of(slots)); // (1, K', D)
        }
        NDArray all = NDArrays.concat(each);
        each.close();
        all.attach(manager);
        return all;
    }
}
