package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.OneDnn;
import org.slotwise.internal.Ops;

/**
 * The products x . c of some features with all centres, by one product of matrices of the engine:
 * for {@link BoundedAssignment}. How they are rounded depends on the engine; {@link #error} bounds
 * it.
 */
final class CenterScores implements AutoCloseable {

    /** How many products are computed at once at most: some megabytes of features. */
    private static final int TOGETHER = 1 << 20;

    private static final int MOST_BLOCKS = 16;

    /** Sizes of products are multiples of it. */
    private static final int SIZES = 512;

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
        int most = TOGETHER / BlockedPoints.BLOCK / Math.max(clusters, points.featureSize);
        blocks = Math.max(1, Math.min(MOST_BLOCKS, most));
        centers = manager.create(new Shape(clusters, points.featureSize));
        centerMemory = ThreadedLloyd.numbers(centers);
        chosen = new long[blocks * BlockedPoints.BLOCK];
        productMemory = centerMemory;
        halfSquares = new float[clusters];
        relativeError = (points.featureSize + 16.0) * ULP;
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
     * By how much ||c||² / 2 - x . c, or half of any other rounding of a squared distance, may be
     * wrong.
     */
    double error(int feature) {
        double reach = norms[feature] + largest;
        return relativeError * reach * reach;
    }

    /** Puts a feature in a place among those that are computed next; from any thread. */
    void choose(int place, int feature) {
        chosen[place] = feature;
    }

    /** Computes the products of the features that were put in so many places. */
    void ofChosen(int n) {
        // A multiple of a number, so that oneDNN, which prepares for each size, has seen it before.
        int padded = Math.min(chosen.length, (n + SIZES - 1) / SIZES * SIZES);
        try (NDArray index = Ops.indices(features, Arrays.copyOf(chosen, padded));
                NDArray x = Ops.rows(features, index)) {
            multiply(x, padded);
        }
    }

    /** Computes the products of features in a row. */
    void ofRange(int from, int to) {
        try (NDArray x = Ops.part(features, 0, from, to)) {
            multiply(x, to - from);
        }
    }

    private void multiply(NDArray x, int n) {
        free();
        if (OneDnn.isHere() && n >= SIZES) {
            products = OneDnn.linear(centers, x, null);
        } else {
            try (NDArray turned = x.swapAxes(0, 1)) {
                products = centers.matMul(turned);
            }
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
