package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import org.jspecify.annotations.Nullable;

/**
 * Operations in the form in which PyTorch users know them. All that compute are differentiable,
 * apart from those on indices.
 */
public final class Ops {

    /** What PyTorch's LayerNorm adds to the variance, if not told otherwise. */
    public static final double LAYER_NORM_EPS = 1e-5;

    /** What PyTorch's BatchNorm adds to the variance. */
    public static final double BATCH_NORM_EPS = 1e-5;

    /** How much of its running statistics PyTorch's BatchNorm takes from each batch. */
    public static final double BATCH_NORM_MOMENTUM = 0.1;

    private Ops() {}

    /**
     * x Wᵀ + b over the last axis.
     *
     * @param x (..., in)
     * @param weight (out, in)
     * @param bias (out), or null for none
     * @return (..., out)
     */
    public static NDArray linear(NDArray x, NDArray weight, @Nullable NDArray bias) {
        return OneDnn.takes(x, weight)
                ? OneDnn.linear(x, weight, bias)
                : x.getNDArrayInternal().linear(x, weight, bias).head();
    }

    /**
     * The leaky ReLU, with a slope in double precision (DJL's own takes a float).
     *
     * @param x any array
     * @param slope what is below zero is multiplied by it
     * @return an array of x's shape
     */
    public static NDArray leakyRelu(NDArray x, double slope) {
        return JniUtils.leakyRelu((PtNDArray) x, slope);
    }

    /**
     * Layer normalisation over the last axis, with PyTorch's eps of 1e-5.
     *
     * @param x (..., D)
     * @param gain (D)
     * @param offset (D)
     * @return (..., D)
     */
    public static NDArray layerNorm(NDArray x, NDArray gain, NDArray offset) {
        return layerNorm(x, gain, offset, LAYER_NORM_EPS);
    }

    /**
     * Layer normalisation over the last axis.
     *
     * @param x (..., D)
     * @param gain (D)
     * @param offset (D)
     * @param eps what is added to the variance
     * @return (..., D)
     */
    public static NDArray layerNorm(NDArray x, NDArray gain, NDArray offset, double eps) {
        return JniUtils.layerNorm(
                (PtNDArray) x, new Shape(gain.size()), (PtNDArray) gain, (PtNDArray) offset, eps);
    }

    /**
     * Batch normalisation of each channel, with PyTorch's eps of 1e-5 and momentum of 0.1 (DJL's
     * own takes them as floats).
     *
     * @param x (B, C, H, W)
     * @param gain (C)
     * @param offset (C)
     * @param mean running mean (C)
     * @param variance running variance (C)
     * @param ofBatch true to normalise by the batch's statistics and to change the running ones in
     *     place, false to normalise by the running ones
     * @return (B, C, H, W)
     */
    public static NDArray batchNorm(
            NDArray x,
            NDArray gain,
            NDArray offset,
            NDArray mean,
            NDArray variance,
            boolean ofBatch) {
        // DJL names the arguments of this method in another order than it uses them.
        return JniUtils.batchNorm(
                (PtNDArray) x,
                (PtNDArray) mean,
                (PtNDArray) variance,
                (PtNDArray) gain,
                (PtNDArray) offset,
                ofBatch,
                BATCH_NORM_MOMENTUM,
                BATCH_NORM_EPS);
    }

    /**
     * The products of few vectors with many, in a form that is fast in the backward pass too.
     *
     * <p>The engine is several times slower at the gradient of the product's second operand than at
     * that of its first. So each order of the operands serves one of them here, and the second
     * product adds nothing but its gradient.
     *
     * @param few (B, K, F)
     * @param many (B, N, F)
     * @return (B, K, N)
     */
    public static NDArray dots(NDArray few, NDArray many) {
        if (!NoGraph.isRecording()) {
            return few.batchMatMul(many.swapAxes(1, 2));
        }
        NDArray forFew = few.batchMatMul(many.stopGradient().swapAxes(1, 2));
        NDArray forMany = many.batchMatMul(few.stopGradient().swapAxes(1, 2)).swapAxes(1, 2);
        return forFew.add(forMany.sub(forMany.stopGradient()));
    }

    /**
     * Replaces the elements at which a mask is true by a number.
     *
     * @param x any array
     * @param mask boolean, of a shape that broadcasts to x's
     * @param value the number
     * @return an array of x's shape; no gradient reaches x where the mask is true
     */
    public static NDArray maskedFill(NDArray x, NDArray mask, double value) {
        NDArray filler = Scalars.like(x, value).broadcast(x.getShape());
        return NDArrays.where(mask.broadcast(x.getShape()), filler, x);
    }

    /**
     * Writes values into an array in place, converting type and device on the way. The array keeps
     * its memory and its gradient flag; nothing is recorded.
     *
     * <p>DJL's {@code copyTo} and {@code set(buffer)} instead replace the array's memory by a Java
     * buffer, which is freed with the array, whatever else still refers to it.
     *
     * @param target the array to change
     * @param values what it holds afterwards, of its shape
     */
    public static void overwrite(NDArray target, NDArray values) {
        NoGraph.during(
                () -> {
                    JniUtils.indexAdvPut(
                            (PtNDArray) target, new NDIndex("..."), (PtNDArray) values);
                    return target;
                });
    }

    /**
     * Raises the elements below a number to it. As with PyTorch's clamp_min the gradient passes
     * where x is at least the number, ties included, and NaN stays NaN. (DJL's {@code clip} reads
     * its bounds back from the device, and {@code maximum} halves the gradient at ties.)
     *
     * @param x any array
     * @param least the number
     * @return an array of x's shape; no gradient reaches x where it is below the number
     */
    public static NDArray clampMin(NDArray x, double least) {
        NDArray floor = Scalars.like(x, least);
        // Without a graph maximum gives the same in one pass.
        return NoGraph.isRecording() ? maskedFill(x, x.lt(floor), least) : x.maximum(floor);
    }

    /**
     * Draws uniformly from [0, 1), with the engine's generator. On a CPU the draw equals PyTorch's
     * {@code torch.rand} after the same seed.
     *
     * @param like the array whose type, device and manager are used
     * @param shape the shape
     * @return the draw
     */
    public static NDArray uniform(NDArray like, long... shape) {
        return JniUtils.uniform(
                (PtNDManager) like.getManager(),
                0,
                1,
                new Shape(shape),
                like.getDataType(),
                like.getDevice());
    }

    /**
     * Draws from the standard normal distribution, with the engine's generator.
     *
     * @param manager the owner
     * @param device where the array is made
     * @param shape the shape
     * @param type float32, float64 or float16
     * @return the draw
     */
    public static NDArray normal(NDManager manager, Device device, Shape shape, DataType type) {
        return JniUtils.normal((PtNDManager) manager, 0, 1, shape, type, device);
    }

    /**
     * The largest elements along an axis.
     *
     * <p>The engine's own reduction also looks for their places, which takes more than ten times as
     * long on a CPU. Where elements tie, the gradient is split among them.
     *
     * @param x any array
     * @param axis an axis of x, counted from 0
     * @return x's shape with size 1 at the axis; a view of x if that is x's size already
     */
    public static NDArray max(NDArray x, int axis) {
        NDArray rest = x;
        for (long size = x.getShape().get(axis); size > 1; size = rest.getShape().get(axis)) {
            // The halves of an odd number overlap by one, which a maximum does not mind.
            long half = (size + 1) / 2;
            rest = part(rest, axis, 0, half).maximum(part(rest, axis, size - half, size));
        }
        return rest == x ? part(x, axis, 0, 1) : rest;
    }

    /**
     * Part of an array along one axis, a view: an index expression, in which other axes are whole,
     * is a view of a view, and so is its gradient.
     *
     * @param x any array
     * @param axis an axis of x, counted from 0
     * @param from the first place
     * @param to the place after the last
     * @return x's shape with to - from at the axis
     */
    public static NDArray part(NDArray x, int axis, long from, long to) {
        return JniUtils.slice((PtNDArray) x, axis, from, to, 1);
    }

    /**
     * Looks rows up in a table.
     *
     * @param table (M, F)
     * @param index int64 of any shape, each element in [0, M)
     * @return (the index's shape, F)
     */
    public static NDArray rows(NDArray table, NDArray index) {
        return JniUtils.embedding((PtNDArray) index, (PtNDArray) table, false);
    }

    /**
     * Indices as an array.
     *
     * @param like the array whose device and manager are used
     * @param values the indices
     * @return int64 (number of indices)
     */
    public static NDArray indices(NDArray like, long... values) {
        NDArray array = like.getManager().create(values);
        return array.toDevice(like.getDevice(), false);
    }

    /**
     * Reads an array. Waits for everything that the device still has to do: read little and seldom.
     *
     * @param array a small array of numbers
     * @return its elements in row-major order
     */
    public static double[] read(NDArray array) {
        // On a GPU the engine's copies live in the manager of what is read.
        try (NDManager manager = array.getManager().newSubManager()) {
            NDArray copy = array.toType(DataType.FLOAT64, true);
            copy.attach(manager);
            return copy.toDoubleArray();
        }
    }

    /**
     * Where parts of equal size begin: 0, size, 2 size and so on.
     *
     * @param like the array whose device and manager are used
     * @param count how many parts
     * @param size of each
     * @return (count) int64
     */
    public static NDArray begins(NDArray like, int count, long size) {
        return range(like, count).muli(Scalars.ofType(like, (double) size, DataType.INT64));
    }

    /**
     * The whole numbers from 0 on.
     *
     * @param like the array whose device and manager are used
     * @param count how many
     * @return (count) int64
     */
    public static NDArray range(NDArray like, int count) {
        return JniUtils.arange(
                (PtNDManager) like.getManager(),
                0,
                count,
                1,
                DataType.INT64,
                like.getDevice(),
                SparseFormat.DENSE);
    }
}
