package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Workers;

/**
 * The products x . c of some features with all centres, by one product of matrices of the engine:
 * for {@link BoundedAssignment}. How they are rounded depends on the engine; {@link #bound} allows
 * for it.
 */
final class CenterScores implements AutoCloseable {

    /**
     * How many numbers of features are multiplied at once: with their products they stay in a
     * core's cache, which is faster than the larger products of more at once (measured).
     */
    private static final int TOGETHER = 1 << 16;

    /** The same on several threads, which must be started for each product. */
    private static final int TOGETHER_ON_THREADS = 1 << 18;

    private static final int MOST_BLOCKS = 16;

    /** Sizes of products are multiples of it, so that their rows begin as memory does. */
    private static final int SIZES = 16;

    private static final float ULP = 0x1p-24f;

    /** How many blocks of features are taken at once. */
    final int blocks;

    /** ||x|| of each feature, (N). */
    final float[] norms;

    /** ||c||² / 2 of each centre, (K). */
    final float[] halfSquares;

    private final NDManager manager;
    private final NDArray features; // (N, F)
    private final NDArray centers; // (K, F)
    private final FloatBuffer centerMemory;
    private final long[] chosen; // the features at each place
    private final double relativeError;
    private double largest; // ||c||

    // What was computed last.
    private @Nullable NDArray products; // (K, n)
    private FloatBuffer productMemory;
    private int count;

    /**
     * Prepares for an image.
     *
     * @param features (N, F) float32
     * @param points the same
     */
    CenterScores(NDArray features, BlockedPoints points, int clusters) {
        this.features = features;
        manager = features.getManager().newSubManager();
        int featureSize = points.featureSize;
        int together = Workers.threads() > 1 ? TOGETHER_ON_THREADS : TOGETHER;
        int most = together / BlockedPoints.BLOCK / Math.max(clusters, featureSize);
        blocks = Math.max(1, Math.min(MOST_BLOCKS, most));
        centers = manager.create(new Shape(clusters, featureSize));
        centerMemory = ThreadedLloyd.numbers(centers);
        chosen = new long[blocks * BlockedPoints.BLOCK];
        productMemory = centerMemory;
        halfSquares = new float[clusters];
        relativeError = (featureSize + 16.0) * ULP;
        try (NDArray norm = features.norm(2, new int[] {1}, false)) {
            norms = norm.toFloatArray();
        }
    }

    /** Takes other centres (K)(F). */
    void take(float[][] c) {
        largest = 0;
        for (int k = 0; k < c.length; k++) {
            centerMemory.put(k * c[k].length, c[k], 0, c[k].length);
            double square = 0;
            for (float v : c[k]) {
                square += (double) v * v;
            }
            halfSquares[k] = (float) (square / 2);
            largest = Math.max(largest, Math.sqrt(square));
        }
    }

    /**
     * Bounds distances by scores ||c||² / 2 - x . c, whatever their rounding.
     *
     * @param least the least score of each of some features
     * @param second the second least
     * @param norm ||x||
     * @param nearest for the distance to the nearest centre: at most so far
     * @param gap for by how much farther the next is: at least so much, and above 0 only if the
     *     scores tell which is nearer
     */
    void bound(
            float[] least,
            float[] second,
            float[] norm,
            float[] nearest,
            float[] gap,
            float below,
            float above,
            int n) {
        VectorLoops.reach(nearest, norm, (float) largest, 4 * (float) relativeError, n);
        VectorLoops.distances(gap, second, norm, nearest, -1, below, n);
        VectorLoops.distances(nearest, least, norm, nearest, 1, above, n);
        VectorLoops.subtract(gap, nearest, n);
    }

    /**
     * Puts features in places, from one on, among those that are computed next; from any thread.
     *
     * @param start what is added to the numbers of the features
     */
    void choose(int place, int start, int[] chosenFeatures, int n) {
        for (int m = 0; m < n; m++) {
            chosen[place + m] = (long) start + chosenFeatures[m];
        }
    }

    /** Computes the products of the features that were put in so many places. */
    void ofChosen(int n) {
        int padded = (n + SIZES - 1) / SIZES * SIZES;
        try (NDArray index = Ops.indices(centers, Arrays.copyOf(chosen, padded));
                NDArray x = Ops.rows(features, index)) {
            multiply(x, padded);
        }
    }

    /** Computes the products of features in a row. */
    void ofRange(int from, int to) {
        try (NDArray x = Ops.part(features, 0, from, to)) {
            // A product reads features in an order that is slow from memory, a sum one by one.
            x.sum().close();
            multiply(x, to - from);
        }
    }

    private void multiply(NDArray x, int n) {
        free();
        try (NDArray turned = x.swapAxes(0, 1)) {
            products = centers.matMul(turned);
        }
        productMemory = ThreadedLloyd.numbers(products);
        count = n;
    }

    /** Reads products with a centre of so many features from a place on; from any thread. */
    void read(int center, int place, float[] into, int n) {
        productMemory.get(center * count + place, into, 0, n);
    }

    private void free() {
        if (products != null) {
            products.close();
            products = null;
        }
    }

    @Override
    public void close() {
        free();
        manager.close();
    }
}
