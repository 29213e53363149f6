package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.slotwise.internal.Ops;

/**
 * The starts of k-means++ for many features of an image in float32 on a CPU: a product of matrices
 * for each centre, and loops over what it gives, where {@link InitialCenters} makes a dozen
 * operations on arrays of that size. The same features are drawn by the same draws, up to rounding.
 */
final class PlusPlusLoops implements AutoCloseable {

    /** Side by side so many sums, each of so many features before it is taken over. */
    private static final int LANES = 1024;

    private static final int ROUNDS = 8;

    private static final int TOGETHER = 4096; // features whose products are computed at once

    private final int size; // N
    private final int trials; // L
    private final int featureSize; // F
    private final NDManager manager;
    private final NDArray features; // (N, F)
    private final FloatBuffer values; // (N, F)
    private final float[] squares; // ||x||², (N)
    private final float[] closest; // squared distances to the closest centre so far, (N)
    private final float[] upTo; // their sums, (N)
    private final float[][] products; // (L)(N)
    private final float[] partial = new float[LANES];
    private final double[] wide = new double[LANES];

    /**
     * Prepares for an image.
     *
     * @param features (N, F)
     * @param squares ||x||² of each, (N)
     * @param trials how many features are tried for each centre
     */
    PlusPlusLoops(NDArray features, NDArray squares, int trials) {
        this.features = features;
        this.squares = squares.toFloatArray();
        this.trials = trials;
        size = Math.toIntExact(features.getShape().get(0));
        featureSize = Math.toIntExact(features.getShape().get(1));
        manager = features.getManager().newSubManager();
        values = ThreadedLloyd.numbers(features);
        closest = new float[size];
        upTo = new float[size];
        products = new float[trials][size];
    }

    /**
     * Draws a start.
     *
     * @param draws numbers from 0 to 1: one for the first centre, L for each other
     * @param rows where the features that are drawn are put, K
     */
    void draw(float[] draws, long[] rows) {
        int[] tried = new int[trials];
        rows[0] = Math.min((long) (draws[0] * size), size - 1L);
        Arrays.fill(tried, (int) rows[0]);
        multiply(tried);
        Arrays.fill(closest, Float.POSITIVE_INFINITY);
        approach(0, (int) rows[0]);
        for (int k = 1; k < rows.length; k++) {
            addUp();
            for (int l = 0; l < trials; l++) {
                tried[l] = proportional(draws[1 + (k - 1) * trials + l]);
            }
            multiply(tried);
            int best = best(tried);
            rows[k] = tried[best];
            approach(best, tried[best]);
        }
    }

    /** Computes -2 x . c for features as centres. */
    private void multiply(int[] rows) {
        float[] c = new float[trials * featureSize];
        for (int l = 0; l < trials; l++) {
            values.get(rows[l] * featureSize, c, l * featureSize, featureSize);
        }
        for (int i = 0; i < c.length; i++) {
            c[i] *= -2;
        }
        try (NDArray centers = manager.create(c, new Shape(trials, featureSize))) {
            for (int from = 0; from < size; from += TOGETHER) {
                multiply(centers, from, Math.min(size, from + TOGETHER));
            }
        }
    }

    private void multiply(NDArray centers, int from, int to) {
        try (NDArray x = Ops.part(features, 0, from, to);
                NDArray product = CenterScores.products(centers, x)) {
            FloatBuffer memory = ThreadedLloyd.numbers(product);
            for (int l = 0; l < trials; l++) {
                memory.get(l * (to - from), products[l], from, to - from);
            }
        }
    }

    /** Which of the features that are tried brings centres closest to all features. */
    private int best(int[] rows) {
        double least = Double.POSITIVE_INFINITY;
        int best = 0;
        for (int l = 0; l < rows.length; l++) {
            double sum = sumOfCloser(products[l], squares[rows[l]]);
            if (sum < least) {
                least = sum;
                best = l;
            }
        }
        return best;
    }

    /** Sums in float32 side by side, which is fast, and often takes those over to float64. */
    private double sumOfCloser(float[] product, float own) {
        Arrays.fill(wide, 0);
        for (int from = 0; from < size; from += LANES * ROUNDS) {
            Arrays.fill(partial, 0);
            int to = Math.min(size, from + LANES * ROUNDS);
            for (int at = from; at < to; at += LANES) {
                int n = Math.min(LANES, to - at);
                VectorLoops.addCloser(partial, product, squares, closest, own, at, n);
            }
            for (int i = 0; i < LANES; i++) {
                wide[i] += partial[i];
            }
        }
        double sum = 0;
        for (double w : wide) {
            sum += w;
        }
        return sum;
    }

    /** Adds a centre. */
    private void approach(int l, int row) {
        VectorLoops.approach(closest, products[l], squares, squares[row]);
    }

    private void addUp() {
        double sum = 0;
        for (int j = 0; j < size; j++) {
            sum += closest[j];
            upTo[j] = (float) sum;
        }
    }

    /** A feature, drawn with a chance proportional to its distance. */
    private int proportional(float draw) {
        float threshold = draw * upTo[size - 1];
        int below = countBelow(threshold);
        int upToIt = countBelow(Math.nextUp(threshold));
        return Math.min((below + upToIt) / 2, size - 1);
    }

    /** How many sums are below a number. */
    private int countBelow(float threshold) {
        int from = 0;
        int to = size;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (upTo[middle] < threshold) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }

    @Override
    public void close() {
        manager.close();
    }
}
