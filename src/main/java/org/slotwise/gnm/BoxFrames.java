package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.SpatialTransformer;

/**
 * The frames of cells' objects as pictures, as the original draws them: green where there is an
 * object, red where there is none, between where presence is.
 *
 * <pre>{@code
 * frames = clamp(sum over cells of paste(frame (green z + red (1 - z))), 0, 1)
 * }</pre>
 *
 * <p>A frame is {@value #SIZE} x {@value #SIZE} and {@value #WIDTH} wide before it is pasted.
 */
public final class BoxFrames {

    private static final int SIZE = 42;
    private static final int WIDTH = 3;

    private BoxFrames() {}

    /**
     * Draws frames.
     *
     * @param cells what cells have
     * @param size height and width of the pictures
     * @return (B, 3, size, size) in [0, 1], owned by the cells' manager
     * @throws IllegalArgumentException if the size is below 1
     */
    public static NDArray of(Cells cells, int size) {
        Check.atLeast("BoxFrames", "size", size, 1);
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray drawn = draw(cells, size);
                        return scope.keep(drawn, cells.presence().getManager());
                    }
                });
    }

    private static NDArray draw(Cells cells, int size) {
        NDArray z = Cells.rows(cells.presence()).expandDims(2).expandDims(3); // (B N, 1, 1, 1)
        NDArray red = Scalars.like(z, 1).sub(z);
        NDArray colour = red.concat(z, 1).concat(z.zerosLike(), 1);
        NDArray framed = colour.mul(frame(z));
        NDArray pasted = SpatialTransformer.paste(framed, Cells.rows(cells.where()), size, size);
        Shape s = cells.presence().getShape();
        NDArray sum = pasted.reshape(s.get(0), -1, 3, size, size).sum(new int[] {1});
        return Ops.clampMin(Ops.clampMin(sum, 0).neg(), -1).neg();
    }

    private static NDArray frame(NDArray like) {
        double[] values = new double[SIZE * SIZE];
        for (int i = 0; i < values.length; i++) {
            int y = i / SIZE;
            int x = i % SIZE;
            int side = Math.min(Math.min(x, y), Math.min(SIZE - 1 - x, SIZE - 1 - y));
            values[i] = side < WIDTH ? 1 : 0;
        }
        DataType type = like.getDataType();
        Shape shape = new Shape(1, 1, SIZE, SIZE);
        return Scalars.of(like.getManager(), like.getDevice(), values, shape, type);
    }
}
