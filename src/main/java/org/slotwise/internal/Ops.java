package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import org.jspecify.annotations.Nullable;

/**
 * Operations in the form in which PyTorch users know them. All but {@link #overwrite} are
 * differentiable.
 */
public final class Ops {

    /** What PyTorch's LayerNorm adds to the variance. */
    private static final double LAYER_NORM_EPS = 1e-5;

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
        return x.getNDArrayInternal().linear(x, weight, bias).head();
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
        return JniUtils.layerNorm(
                (PtNDArray) x,
                new Shape(gain.size()),
                (PtNDArray) gain,
                (PtNDArray) offset,
                LAYER_NORM_EPS);
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
}
