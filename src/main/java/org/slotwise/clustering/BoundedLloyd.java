package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;

/**
 * {@link Lloyd} for many features in float32 on a CPU: start after start, each on all threads. What
 * {@link ThreadedLloyd} does for few features, whose bounds are not worth keeping.
 */
final class BoundedLloyd {

    /** From how many features of an image on it is faster: measured (docs/performance.md). */
    static final int MANY = 1 << 13;

    private BoundedLloyd() {}

    /** As {@link Lloyd#run}. */
    static Lloyd.Result run(NDArray features, NDArray initial, LloydCourse course) {
        Shape s = initial.getShape();
        int images = Math.toIntExact(s.get(0));
        int startsPerImage = Math.toIntExact(s.get(1));
        int clusters = Math.toIntExact(s.get(2));
        int featureSize = Math.toIntExact(s.get(3));
        int size = Math.toIntExact(features.getShape().get(1));
        FloatBuffer from = ThreadedLloyd.numbers(initial);
        FloatBuffer values = ThreadedLloyd.numbers(features);
        int starts = Math.multiplyExact(images, startsPerImage);
        float[] initialCenters = new float[clusters * featureSize];
        float[] centers = new float[Math.toIntExact(initial.size())];
        float[] labels = new float[Math.multiplyExact(starts, size)];
        long[] iterations = new long[starts];
        double[] gains = new double[starts];
        boolean narrow = featureSize <= BoxedAssignment.ELEMENTS;
        for (int image = 0; image < images; image++) {
            BlockedPoints read = BlockedPoints.read(values, image * size, size, featureSize);
            BlockedPoints points =
                    narrow ? read.inOrder(SpatialOrder.of(read.rows, featureSize)) : read;
            ChangedLabels changes = new ChangedLabels(points);
            try (CenterScores scores =
                    narrow ? null : new CenterScores(features.get(image), points, clusters)) {
                AssignmentStep assignment =
                        scores == null
                                ? new BoxedAssignment(points, clusters, changes)
                                : new BoundedAssignment(points, scores, clusters, changes);
                BoundedStart state = new BoundedStart(points, clusters, assignment, changes);
                for (int r = 0; r < startsPerImage; r++) {
                    int start = image * startsPerImage + r;
                    from.get(start * initialCenters.length, initialCenters);
                    state.run(initialCenters, image, course);
                    state.copyTo(centers, start * initialCenters.length, labels, start * size);
                    iterations[start] = state.iterations();
                    gains[start] = state.gain();
                }
            }
        }
        NDManager owner = features.getManager();
        return new Lloyd.Result(
                owner.create(centers, new Shape(starts, (long) clusters * featureSize)),
                owner.create(labels, new Shape(starts, size)),
                iterations,
                gains);
    }
}
