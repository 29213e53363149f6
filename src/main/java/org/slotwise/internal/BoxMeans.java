package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.pooling.Pool;

/** Means over squares of pixels around each one; beyond the border there is nothing. */
public final class BoxMeans {

    private BoxMeans() {}

    /**
     * Averages.
     *
     * @param maps (B, C, H, W)
     * @param side of the squares, odd; those at the border are cut off
     * @return (B, C, H, W); the maps themselves for 1
     */
    public static NDArray of(NDArray maps, int side) {
        if (side == 1) {
            return maps;
        }
        Shape s = maps.getShape();
        NDArray inside =
                Scalars.full(maps, new Shape(1, 1, s.get(2), s.get(3)), 1, maps.getDataType());
        // DJL's averages count what is beyond the border as 0, whatever they are asked for.
        return pooled(maps, side).div(pooled(inside, side));
    }

    private static NDArray pooled(NDArray maps, int side) {
        return Pool.avgPool2d(
                maps,
                new Shape(side, side),
                new Shape(1, 1),
                new Shape(side / 2, side / 2),
                false,
                true);
    }
}
