package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.matching.Assignment;
import org.slotwise.matching.HungarianMatching;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;

/**
 * How well one picture was explained, as the original measures it. What an image has no value of,
 * such as an empty one that was found empty has of its objects, is NaN: leave it out of means.
 *
 * <pre>{@code
 * m = masks;  classes = [1 - sum m, m];  pixel = largest class
 * s[t, p] = (shared + 0.01) / (|t| + |p| + 0.01), 0 where one is empty;   matched one to one, most s
 * pairs   = matches of which the true class is visible, or the found one is present, less one
 * }</pre>
 *
 * @param squaredError sum of (y - x)² over pixels and colours
 * @param backgroundError the same of both backgrounds, cut out by their own masks
 * @param objectError the same of matched objects, per pair
 * @param overlap per pair, of s, as the original's "miou": not an intersection over union, since
 *     what is shared counts twice below; half of {@code dice} but for the small numbers
 * @param dice per pair, 2 shared / (|t| + |p|)
 * @param intersectionOverUnion per pair, shared / (|t| + |p| - shared)
 * @param ariWithBackground of all pixels
 * @param ari of the pixels of true objects; the prediction has a background
 * @param ariOfObjects of the pixels of true objects; the prediction has objects alone
 * @param count how many objects were found
 * @param trueCount how many there are
 */
public record GnmScores(
        double squaredError,
        double backgroundError,
        double objectError,
        double overlap,
        double dice,
        double intersectionOverUnion,
        double ariWithBackground,
        double ari,
        double ariOfObjects,
        int count,
        int trueCount) {

    private static final String WHO = "GnmScores";
    private static final double SMALL = 0.01;
    private static final double HALF = 0.5;

    /**
     * Whether as many objects were found as there are.
     *
     * @return true if so
     */
    public boolean countRight() {
        return count == trueCount;
    }

    /**
     * Scores explanations.
     *
     * @param images (B, C, S, S)
     * @param truth (B, T, S, S): masks of the true classes, the background's first; any positive
     *     number is part of a class, and each pixel belongs to the largest
     * @param explained what was found in the images
     * @return one for each image
     * @throws IllegalArgumentException if shapes do not agree
     */
    public static List<GnmScores> of(NDArray images, NDArray truth, ExplainedScenes explained) {
        return of(
                images,
                truth,
                explained.rendered().picture(),
                explained.rendered().masks(),
                explained.cells().presence());
    }

    /**
     * Scores pictures and masks.
     *
     * @param images (B, C, S, S)
     * @param truth (B, T, S, S)
     * @param pictures y (B, C, S, S)
     * @param masks (B, N, 1, S, S)
     * @param presence of N numbers an image
     * @return one for each image
     * @throws IllegalArgumentException if shapes do not agree
     */
    public static List<GnmScores> of(
            NDArray images, NDArray truth, NDArray pictures, NDArray masks, NDArray presence) {
        Check.shape(WHO, "images", images, "B", "C", "S", "S");
        Shape s = images.getShape();
        Check.shape(WHO, "truth", truth, s.get(0), "T", s.get(2), s.get(3));
        Check.shape(WHO, "pictures", pictures, s.get(0), s.get(1), s.get(2), s.get(3));
        Check.shape(WHO, "masks", masks, s.get(0), "N", 1, s.get(2), s.get(3));
        Check.present(WHO, "presence", presence);
        long cells = masks.getShape().get(1);
        Check.option(
                presence.size() == s.get(0) * cells,
                WHO + ": presence must be " + cells + " an image, got " + presence.getShape());
        double[][] t = images(truth);
        double[][] m = images(masks);
        double[][] x = images(images);
        double[][] y = images(pictures);
        double[][] z = images(presence.reshape(s.get(0), cells));
        List<GnmScores> all = new ArrayList<>();
        int channels = (int) s.get(1);
        try (NDManager own = images.getManager().newSubManager()) {
            for (int b = 0; b < x.length; b++) {
                all.add(new MatchedScene(x[b], y[b], t[b], m[b], z[b], channels).score(own));
            }
        }
        return all;
    }

    private static double[][] images(NDArray array) {
        int n = (int) array.getShape().get(0);
        double[] flat = Ops.read(array);
        double[][] images = new double[n][flat.length / n];
        for (int i = 0; i < n; i++) {
            System.arraycopy(flat, i * images[i].length, images[i], 0, images[i].length);
        }
        return images;
    }

    /** One image in Java's memory. */
    private record MatchedScene(
            double[] x,
            double[] y,
            double[] truth,
            double[] masks,
            double[] presence,
            int channels) {

        GnmScores score(NDManager manager) {
            int pixels = x.length / channels;
            int cells = presence.length;
            int classes = truth.length / pixels;
            int[] t = largest(truth, classes, pixels);
            int[] objects = largest(masks, cells, pixels);
            int[] p = new int[pixels];
            for (int i = 0; i < pixels; i++) {
                double rest = 1;
                for (int n = 0; n < cells; n++) {
                    rest -= masks[n * pixels + i];
                }
                p[i] = rest >= masks[objects[i] * pixels + i] ? 0 : 1 + objects[i];
            }
            int k = Math.max(cells + 1, classes);
            double[][] shared = new double[k][k];
            double[] inTruth = new double[k];
            double[] found = new double[k];
            double error = 0;
            for (int i = 0; i < pixels; i++) {
                shared[t[i]][p[i]]++;
                inTruth[t[i]]++;
                found[p[i]]++;
            }
            for (int i = 0; i < x.length; i++) {
                error += (y[i] - x[i]) * (y[i] - x[i]);
            }
            double[] costs = new double[k * k];
            for (int i = 0; i < k * k; i++) {
                costs[i] = -overlap(shared, inTruth, found, i / k, i % k);
            }
            NDArray matrix = manager.create(costs, new Shape(1, k, k));
            Assignment matched = HungarianMatching.match(matrix);
            double[] rows = Ops.read(matched.rows());
            double[] columns = Ops.read(matched.columns());
            double pairs = -1;
            double[] sums = new double[5];
            for (int i = 0; i < k; i++) {
                int a = (int) rows[i];
                int b = (int) columns[i];
                boolean present = b == 0 || (b <= cells && presence[b - 1] > HALF);
                pairs += present || inTruth[a] > 0 ? 1 : 0;
                double cut = cut(t, a, p, b);
                if (a == 0) {
                    sums[0] = cut;
                    continue;
                }
                double both = inTruth[a] + found[b];
                sums[1] += cut;
                sums[2] += overlap(shared, inTruth, found, a, b);
                sums[3] += both == 0 ? 0 : 2 * shared[a][b] / both;
                sums[4] += both == 0 ? 0 : shared[a][b] / (both - shared[a][b]);
            }
            int count = 0;
            for (double z : presence) {
                count += z > HALF ? 1 : 0;
            }
            int there = 0;
            for (int i = 1; i < classes; i++) {
                there += inTruth[i] > 0 ? 1 : 0;
            }
            double per = pairs > 0 ? pairs : Double.NaN;
            return new GnmScores(
                    error,
                    sums[0],
                    sums[1] / per,
                    sums[2] / per,
                    sums[3] / per,
                    sums[4] / per,
                    ari(manager, t, p, Background.COUNTED),
                    ari(manager, t, p, Background.LEFT_OUT),
                    ari(manager, t, objects, Background.LEFT_OUT),
                    count,
                    there);
        }

        private static int[] largest(double[] maps, int classes, int pixels) {
            int[] largest = new int[pixels];
            for (int i = 0; i < pixels; i++) {
                for (int c = 1; c < classes; c++) {
                    if (maps[c * pixels + i] > maps[largest[i] * pixels + i]) {
                        largest[i] = c;
                    }
                }
            }
            return largest;
        }

        private static double overlap(
                double[][] shared, double[] inTruth, double[] found, int t, int p) {
            return inTruth[t] == 0 || found[p] == 0
                    ? 0
                    : (shared[t][p] + SMALL) / (inTruth[t] + found[p] + SMALL);
        }

        /** Squared error of what both masks cut out. */
        private double cut(int[] t, int a, int[] p, int b) {
            double sum = 0;
            for (int i = 0; i < x.length; i++) {
                double own = t[i % t.length] == a ? x[i] : 0;
                double made = p[i % p.length] == b ? y[i] : 0;
                sum += (made - own) * (made - own);
            }
            return sum;
        }

        private static double ari(NDManager manager, int[] t, int[] p, Background background) {
            NDArray truth = labels(manager, t);
            NDArray found = labels(manager, p);
            var scores = new AdjustedRandIndex(background).score(truth, found);
            return Ops.read(scores.values().toType(DataType.FLOAT64, false))[0];
        }

        private static NDArray labels(NDManager manager, int[] values) {
            return manager.create(values, new Shape(1, values.length));
        }
    }
}
