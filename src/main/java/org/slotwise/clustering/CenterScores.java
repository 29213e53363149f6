package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;
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

    private static final float ULP = 0x1p-24f;

    /** How many blocks of features are taken at once. */
    final int blocks;

    /** ||x|| of each feature, (N). */
    final float[] norms;

    /** ||c||² / 2 of each centre, (K). */
    final float[] halfSquares;

    private final BlockedPoints points;
    private final NDManager manager;
    private final NDArray features; // (N, F)
    private final NDArray centers; // (K, F)
    private final FloatBuffer centerMemory;
    private final NDArray chosen; // (rows, F)
    private final FloatBuffer chosenMemory;
    private final double relativeError;
    private double largest; // ||c||

    // What was computed last.
    private @Nullable NDArray products; // (K, n)
    private FloatBuffer productMemory;
    private int count;

    /**
     * Prepares for an image.
     *
     * @param features (N, F) float32, the same as the points
     */
    CenterScores(NDArray features, BlockedPoints points, int clusters) {
        this.points = points;
        this.features = features;
        manager = features.getManager().newSubManager();
        int most = TOGETHER / BlockedPoints.BLOCK / Math.max(clusters, points.featureSize);
        blocks = Math.max(1, Math.min(MOST_BLOCKS, most));
        centers = manager.create(new Shape(clusters, points.featureSize));
        centerMemory = ThreadedLloyd.numbers(centers);
        chosen = manager.create(new Shape((long) blocks * BlockedPoints.BLOCK, points.featureSize));
        chosenMemory = ThreadedLloyd.numbers(chosen);
        productMemory = chosenMemory;
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
        int size = points.featureSize;
        chosenMemory.put(place * size, points.rows, feature * size, size);
    }

    /** Computes the products of the features that were put in so many places. */
    void ofChosen(int n) {
        try (NDArray x = Ops.part(chosen, 0, 0, n)) {
            multiply(x, n);
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
