package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Uniform draws in [0, 1) for starts of k-means, one start's after the other's: more starts add
 * draws and change none.
 */
final class UniformDraws {

    private final @Nullable Random seeded;

    /** Draws from the engine's generator, or with a seed from one that is the same everywhere. */
    UniformDraws(@Nullable Long seed) {
        seeded = seed == null ? null : new Random(seed);
    }

    /**
     * The draws of the next few starts.
     *
     * @param like (B, ...), in whose type, manager and device they come
     * @param starts R
     * @param count how many for each start, M
     * @return (B, R, M); with a seed (1, R, M), the same for all images
     */
    NDArray next(NDArray like, long starts, long count) {
        if (seeded == null) {
            Shape shape = new Shape(like.getShape().get(0), starts, count);
            return like.getManager()
                    .randomUniform(0f, 1f, shape, like.getDataType())
                    .toDevice(like.getDevice(), false);
        }
        float[] values = new float[Math.toIntExact(starts * count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = seeded.nextFloat();
        }
        return like.getManager()
                .create(values, new Shape(1, starts, count))
                .toDevice(like.getDevice(), false)
                .toType(like.getDataType(), false);
    }
}
