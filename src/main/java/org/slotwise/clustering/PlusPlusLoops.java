package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The starts of k-means++ for many features of an image in float32 on a CPU: a product of matrices
 * for each centre, and loops over what it gives, where {@link InitialCenters} makes a dozen
 * operations on arrays of that size. The same features are drawn by the same draws, up to rounding.
 */
final class PlusPlusLoops implements AutoCloseable {

    private final int size; // N
    private final int trials; // L
    private final int featureSize; // F
    private final NDManager manager;
    private final NDArray features; // (N, F)
    private final FloatBuffer values; // (N, F)
    private final float[] squares; // ||x||², (N)
    private final float[] closest; // squared distances to the closest centre so far, (N)
    private final float[] upTo; // their sums, (N)
    private final float[] products; // (N, L)
    private final double[] sums; // (L)

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
        products = new float[Math.multiplyExact(size, trials)];
        sums = new double[trials];
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
        try (NDArray centers = manager.create(c, new Shape(trials, featureSize));
                NDArray turned = centers.swapAxes(0, 1);
                NDArray product = features.matMul(turned)) {
            ThreadedLloyd.numbers(product).get(products);
        }
    }

    /** Which of the features that are tried brings centres closest to all features. */
    private int best(int[] rows) {
        Arrays.fill(sums, 0);
        for (int l = 0; l < trials; l++) {
            float own = squares[rows[l]];
            double even = 0;
            double odd = 0;
            int j = 0;
            for (; j + 2 <= size; j += 2) {
                even += closer(j, l, own);
                odd += closer(j + 1, l, own);
            }
            sums[l] = even + odd + (j < size ? closer(j, l, own) : 0);
        }
        int best = 0;
        for (int l = 1; l < trials; l++) {
            best = sums[l] < sums[best] ? l : best;
        }
        return best;
    }

    private float closer(int j, int l, float own) {
        return Math.min(products[j * trials + l] + squares[j] + own, closest[j]);
    }

    /** Adds a centre. */
    private void approach(int l, int row) {
        for (int j = 0; j < size; j++) {
            closest[j] = Math.max(closer(j, l, squares[row]), 0);
        }
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
