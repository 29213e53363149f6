package org.slotwise.position;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Scalars;

/**
 * The positions of features that lie on a regular grid.
 *
 * <p>Source: the grid of Locatello et al., "Object-Centric Learning with Slot Attention" (2020);
 * row-major, indexed "ij", as {@code torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0,
 * 1, width), indexing="ij")}.
 */
public final class PositionGrid {

    private PositionGrid() {}

    /**
     * Makes the positions of a grid.
     *
     * <p>The last axis runs fastest. Each coordinate goes from 0 to 1, both included; on an axis of
     * size 1 it is 0, as {@code torch.linspace(0, 1, 1)} is.
     *
     * @param manager the owner, on whose device the array is made
     * @param type float32, float64 or float16
     * @param sizes how many features lie along each axis, height and width for instance; at least
     *     one, each at least 1
     * @return (N, P): N the product of the sizes, P their number
     * @throws IllegalArgumentException if there are no sizes, one is below 1, or the type is
     *     another
     */
    public static NDArray of(NDManager manager, DataType type, long... sizes) {
        String who = "PositionGrid";
        Check.floating(who, "positions", type);
        Check.option(
                sizes.length > 0 && Arrays.stream(sizes).allMatch(size -> size > 0),
                who + ": sizes must be at least 1, got " + Arrays.toString(sizes));
        int axes = sizes.length;
        Limits.numbers(who, "the grid", sizes);
        int count = Math.toIntExact(Arrays.stream(sizes).reduce(1, Math::multiplyExact));
        Limits.numbers(who, "positions", count, axes);
        double[] positions = new double[count * axes];
        long stride = count;
        for (int axis = 0; axis < axes; axis++) {
            long size = sizes[axis];
            stride /= size;
            for (int n = 0; n < count; n++) {
                long i = n / stride % size;
                positions[n * axes + axis] = size == 1 ? 0 : (double) i / (double) (size - 1);
            }
        }
        return Scalars.of(manager, manager.getDevice(), positions, new Shape(count, axes), type);
    }
}
