package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Convolutions;

/**
 * Convolution of vectors that are broadcast to a grid, without making that grid.
 *
 * <p>Where a vector lies at every place, the result depends on the place only as far as the kernel
 * reaches over the grid's edge. A grid of the kernel's own size has all those cases; its middle row
 * and column are repeated until the size is right. At 35 by 35 and a kernel of 5 this is a 49th of
 * the work, and the grids of B K slots, the largest arrays of a decoder, never exist.
 */
final class BroadcastConvolution {

    private BroadcastConvolution() {}

    /** Whether a grid is large enough for this. */
    static boolean fits(long height, long width, int kernel) {
        return height >= kernel && width >= kernel;
    }

    /**
     * The convolution, with zeros around the grid so that it keeps its size.
     *
     * @param vectors (M, D)
     * @param weight (O, D, kernel, kernel), kernel odd
     * @return (M, O, height, width)
     */
    static NDArray apply(NDArray vectors, NDArray weight, long height, long width) {
        long m = vectors.getShape().get(0);
        long d = vectors.getShape().get(1);
        int kernel = Math.toIntExact(weight.getShape().get(2));
        NDArray small = vectors.reshape(m, d, 1, 1).broadcast(new Shape(m, d, kernel, kernel));
        NDArray edges =
                Convolutions.conv2dChannelsLast(
                        small, weight, null, 1, kernel / 2); // (M, O, kernel, kernel)
        return stretch(stretch(edges, 2, height), 3, width);
    }

    /** Repeats what lies in the middle of an axis until the axis has a certain size. */
    private static NDArray stretch(NDArray x, int axis, long size) {
        long kernel = x.getShape().get(axis);
        if (size == kernel) {
            return x;
        }
        long half = kernel / 2;
        long[] middle = x.getShape().getShape().clone();
        middle[axis] = size - 2 * half;
        if (half == 0) {
            return x.broadcast(new Shape(middle));
        }
        NDList parts = x.split(new long[] {half, half + 1}, axis);
        return NDArrays.concat(
                new NDList(parts.get(0), parts.get(1).broadcast(new Shape(middle)), parts.get(2)),
                axis);
    }
}
