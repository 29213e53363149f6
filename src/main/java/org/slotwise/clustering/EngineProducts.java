package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.Ops;

/**
 * {@link CenterProducts} by products of matrices of the engine: for one thread, where they take
 * less time than loops (docs/performance.md).
 */
final class EngineProducts implements CenterProducts, AutoCloseable {

    /** Sizes of products are multiples of it, so that their rows begin as memory does. */
    private static final int SIZES = 16;

    private final NDArray features; // (N, F)
    private final NDManager manager;
    private final NDArray matrix; // the centres, (K, F)
    private final FloatBuffer memory; // of these
    private final long[] chosen = new long[TOGETHER];

    /**
     * Prepares for an image.
     *
     * @param features (N, F) float32
     */
    EngineProducts(NDArray features, int clusters) {
        this.features = features;
        manager = features.getManager().newSubManager();
        matrix = manager.create(new Shape(clusters, features.getShape().get(1)));
        memory = ArrayMemory.floats(matrix);
    }

    @Override
    public void ofPart(int part, float[][] centers, float[][] products) {
        long from = (long) part * TOGETHER;
        long to = Math.min(features.getShape().get(0), from + TOGETHER);
        try (NDArray x = Ops.part(features, 0, from, to)) {
            // A product reads features in an order that is slow from memory, a sum one by one.
            x.sum().close();
            multiply(x, centers, products, (int) (to - from));
        }
    }

    @Override
    public void ofSome(int[] which, int n, float[][] centers, float[][] products) {
        for (int m = 0; m < n; m++) {
            chosen[m] = which[m];
        }
        int padded = (n + SIZES - 1) / SIZES * SIZES;
        try (NDArray index = Ops.indices(matrix, Arrays.copyOf(chosen, padded));
                NDArray x = Ops.rows(features, index)) {
            multiply(x, centers, products, n);
        }
    }

    private void multiply(NDArray x, float[][] centers, float[][] products, int n) {
        for (int k = 0; k < centers.length; k++) {
            memory.put(k * centers[k].length, centers[k]);
        }
        int count = Math.toIntExact(x.getShape().get(0));
        try (NDArray turned = x.swapAxes(0, 1);
                NDArray product = matrix.matMul(turned)) {
            FloatBuffer numbers = ArrayMemory.floats(product);
            for (int k = 0; k < centers.length; k++) {
                numbers.get(k * count, products[k], 0, n);
            }
        }
    }

    @Override
    public void close() {
        manager.close();
    }
}
