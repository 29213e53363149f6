package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.Workers;

/**
 * {@link Lloyd} for many features in float32 on a CPU: start after start, each on all threads; as
 * many at the same time as there are threads, each on one, if there are so many. What {@link
 * ThreadedLloyd} does for few features, whose bounds are not worth keeping.
 */
final class BoundedLloyd {

    /** From how many features of an image on it is faster: measured (docs/performance.md). */
    static final int MANY = 1 << 13;

    private final int clusters;
    private final int featureSize; // F
    private final int size; // N
    private final int startsPerImage;
    private final FloatBuffer features; // (B, N, F)
    private final FloatBuffer initial; // (B, R, K, F)
    private final LloydCourse course;

    // Where the starts ended.
    private final float[] centers;
    private final float[] labels;
    private final long[] iterations;
    private final double[] gains;

    private BoundedLloyd(NDArray features, NDArray initial, LloydCourse course) {
        Shape s = initial.getShape();
        startsPerImage = Math.toIntExact(s.get(1));
        clusters = Math.toIntExact(s.get(2));
        featureSize = Math.toIntExact(s.get(3));
        size = Math.toIntExact(features.getShape().get(1));
        this.features = ArrayMemory.floats(features);
        this.initial = ArrayMemory.floats(initial);
        this.course = course;
        int starts = Math.toIntExact(s.get(0) * startsPerImage);
        centers = new float[Math.toIntExact(initial.size())];
        labels = new float[Math.multiplyExact(starts, size)];
        iterations = new long[starts];
        gains = new double[starts];
    }

    /** As {@link Lloyd#run}. */
    static Lloyd.Result run(NDArray features, NDArray initial, LloydCourse course) {
        BoundedLloyd lloyd = new BoundedLloyd(features, initial, course);
        long images = initial.getShape().get(0);
        for (int image = 0; image < images; image++) {
            try (NDArray x = features.get(image)) {
                lloyd.runImage(image, x);
            }
        }
        NDManager owner = features.getManager();
        long starts = lloyd.gains.length;
        return new Lloyd.Result(
                owner.create(lloyd.centers, new Shape(starts, lloyd.centers.length / starts)),
                owner.create(lloyd.labels, new Shape(starts, lloyd.size)),
                lloyd.iterations,
                lloyd.gains);
    }

    private void runImage(int image, NDArray x) {
        BlockedPoints read = BlockedPoints.read(features, image * size, size, featureSize);
        if (featureSize <= BoxedAssignment.ELEMENTS) {
            BlockedPoints points = read.inOrder(SpatialOrder.of(read.rows, featureSize));
            runStarts(image, () -> BoundedStart.boxed(points, clusters));
            return;
        }
        float[] norms;
        try (NDArray norm = x.norm(2, new int[] {1}, false)) {
            norms = norm.toFloatArray();
        }
        if (Workers.threads() == 1) {
            try (EngineProducts products = new EngineProducts(x, clusters)) {
                runStarts(image, () -> BoundedStart.bounded(read, norms, () -> products, clusters));
            }
        } else {
            FeatureTiles tiles = FeatureTiles.of(read.rows, featureSize);
            Supplier<LoopedProducts> products = () -> new LoopedProducts(read, tiles, clusters);
            runStarts(image, () -> BoundedStart.bounded(read, norms, products, clusters));
        }
    }

    private void runStarts(int image, Supplier<BoundedStart> states) {
        int first = image * startsPerImage;
        Workers.eachWithOwn(startsPerImage, () -> worker(states.get(), first, image));
    }

    private IntConsumer worker(BoundedStart state, int first, int image) {
        float[] from = new float[clusters * featureSize];
        return r -> {
            int start = first + r;
            initial.get(start * from.length, from);
            state.run(from, image, course);
            state.copyTo(centers, start * from.length, labels, start * size);
            iterations[start] = state.iterations();
            gains[start] = state.gain();
        };
    }
}
