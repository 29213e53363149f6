package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** From the layouts of Keras to those of PyTorch, which this library has. */
public final class KerasConversions {

    private KerasConversions() {}

    /**
     * The kernel of a Dense layer: (in, out) to (out, in).
     *
     * @return the conversion
     */
    public static Conversion dense() {
        return Conversion.axes(1, 0);
    }

    /**
     * The kernel of a Conv2D: (height, width, in, out) to (out, in, height, width).
     *
     * <p>With padding "SAME" and a stride of 1 the layers are equal. A stride of 2 is aligned
     * otherwise, see {@link #shifted}.
     *
     * @return the conversion
     */
    public static Conversion convolution() {
        return Conversion.axes(3, 2, 0, 1);
    }

    /**
     * The kernel of a Conv2DTranspose: (height, width, out, in) to (in, out, height, width), as
     * transposed layers have it.
     *
     * <p>With padding "SAME" and a stride of 1 the layers are equal. A stride of 2 is aligned
     * otherwise, see {@link #shifted}.
     *
     * @return the conversion
     */
    public static Conversion transposedConvolution() {
        return Conversion.axes(3, 2, 0, 1);
    }

    /**
     * The kernel of a Conv2DTranspose with a stride of 1 for a plain convolution: (height, width,
     * out, in), mirrored in height and width, to (out, in, height, width).
     *
     * @return the conversion
     */
    public static Conversion transposedAsPlainConvolution() {
        return new MirroredConversion();
    }

    /**
     * A conversion followed by two rows and columns of zeros above and left of each kernel.
     *
     * <p>For an odd kernel of size k and a stride of 2, padding "SAME" of TensorFlow pads an even
     * image by one row and column less on the upper left side than PyTorch. A kernel of size k + 2
     * in PyTorch, whose first two rows and columns are zero, is aligned as k is in TensorFlow:
     * build the layer here with k + 2. Back, the zeros are cut off; they must be zero.
     *
     * @param kernel {@link #convolution()} or {@link #transposedConvolution()}
     * @return the conversion
     */
    public static Conversion shifted(Conversion kernel) {
        return new ShiftedConversion(kernel);
    }

    /**
     * The kernel or recurrent kernel of a GRU: (in, 3 D) with gates z, r, h to (3 D, in) with gates
     * r, z, n.
     *
     * @return the conversion
     */
    public static Conversion gruKernel() {
        return new GruKernel();
    }

    /**
     * The bias of a GRU with {@code reset_after=True}, TensorFlow 2's default: (2, 3 D) with gates
     * z, r, h to two of (3 D) with gates r, z, n, {@code bias_ih} and {@code bias_hh}.
     *
     * <p>With {@code reset_after=False} there is one bias, and the reset gate is applied before the
     * product with the recurrent kernel: another cell, which PyTorch and this library lack. It is
     * refused.
     *
     * @return the conversion
     */
    public static Conversion gruBias() {
        return new GruBias();
    }

    /** z, r, h along an axis to r, z, h; its own inverse. */
    private static NDArray swapGates(NDArray array, int axis) {
        Check.option(
                array.getShape().get(axis) % 3 == 0,
                "must have three gates side by side, got " + array.getShape());
        NDList gates = array.split(3, axis);
        return NDArrays.concat(new NDList(gates.get(1), gates.get(0), gates.get(2)), axis);
    }

    private static void checkAxes(NDArray array, int axes) {
        Check.option(
                array.getShape().dimension() == axes,
                "must have " + axes + " axes, got " + array.getShape());
    }

    private static final class GruKernel implements Conversion {
        @Override
        public List<NDArray> apply(NDArray array) {
            checkAxes(array, 2);
            return List.of(swapGates(array, 1).transpose());
        }

        @Override
        public NDArray revert(List<NDArray> arrays) {
            checkAxes(arrays.get(0), 2);
            return swapGates(arrays.get(0), 0).transpose();
        }
    }

    private static final class GruBias implements Conversion {
        @Override
        public List<NDArray> apply(NDArray array) {
            Shape shape = array.getShape();
            Check.option(
                    shape.dimension() != 1,
                    "is "
                            + shape
                            + ", of a GRU with reset_after=False: that is another cell, which"
                            + " cannot be represented; train with reset_after=True");
            Check.option(
                    shape.dimension() == 2 && shape.get(0) == 2, "must be (2, 3 D), got " + shape);
            NDArray swapped = swapGates(array, 1);
            return List.of(swapped.get(0), swapped.get(1));
        }

        @Override
        public NDArray revert(List<NDArray> arrays) {
            arrays.forEach(array -> checkAxes(array, 1));
            return swapGates(NDArrays.stack(new NDList(arrays)), 1);
        }
    }

    private static final class MirroredConversion implements Conversion {
        @Override
        public List<NDArray> apply(NDArray array) {
            checkAxes(array, 4);
            return List.of(array.flip(0, 1).transpose(2, 3, 0, 1));
        }

        @Override
        public NDArray revert(List<NDArray> arrays) {
            checkAxes(arrays.get(0), 4);
            return arrays.get(0).transpose(2, 3, 0, 1).flip(0, 1);
        }
    }

    private static final class ShiftedConversion implements Conversion {
        private static final int ZEROS = 2;

        private final Conversion kernel;

        ShiftedConversion(Conversion kernel) {
            this.kernel = kernel;
        }

        @Override
        public List<NDArray> apply(NDArray array) {
            checkAxes(array, 4);
            NDArray w = kernel.apply(array).get(0);
            Shape s = w.getShape();
            NDArray left = zeros(w, s.get(0), s.get(1), s.get(2), ZEROS);
            NDArray above = zeros(w, s.get(0), s.get(1), ZEROS, s.get(3) + ZEROS);
            return List.of(above.concat(left.concat(w, 3), 2));
        }

        /** On the array's device, which need not be its manager's. */
        private static NDArray zeros(NDArray like, long... shape) {
            return Scalars.like(like, 0).broadcast(new Shape(shape));
        }

        private static boolean areZero(NDArray some) {
            return some.size() == 0 || Ops.read(some.countNonzero())[0] == 0;
        }

        @Override
        public NDArray revert(List<NDArray> arrays) {
            NDArray w = arrays.get(0);
            checkAxes(w, 4);
            Check.option(
                    w.getShape().get(2) > ZEROS && w.getShape().get(3) > ZEROS,
                    "must be larger than 2 x 2 in height and width, got " + w.getShape());
            Check.option(
                    areZero(w.get(":, :, :2, :")) && areZero(w.get(":, :, :, :2")),
                    "has weights in its first two rows or columns, for which there is no place");
            return kernel.revert(List.of(w.get(":, :, 2:, 2:")));
        }
    }
}
