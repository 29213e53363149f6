package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;

/**
 * A sample of the features of each image, on which starts of k-means run: one of each of so many
 * parts of all, so that it is spread over them.
 */
final class StartSample {

    private StartSample() {}

    /**
     * Draws a sample.
     *
     * @param features (B, N, F)
     * @param count S, at most N
     * @param seed as that of {@link KMeansOptions}
     * @return (B, S) int64, as rows of the features of all images
     */
    static NDArray rows(NDArray features, int count, @Nullable Long seed) {
        // Other numbers than those that draw the starts.
        UniformDraws draws = new UniformDraws(seed == null ? null : ~seed);
        int images = Math.toIntExact(features.getShape().get(0));
        long size = features.getShape().get(1);
        double[] u = Ops.read(draws.next(features, 1, count));
        long[] rows = new long[Math.multiplyExact(images, count)];
        for (int i = 0; i < rows.length; i++) {
            long part = i % count;
            long from = part * size / count;
            long to = (part + 1) * size / count;
            long within = (long) (u[i % u.length] * (double) (to - from));
            rows[i] = i / count * size + Math.min(from + within, to - 1);
        }
        return Ops.indices(features, rows).reshape(images, count);
    }
}
