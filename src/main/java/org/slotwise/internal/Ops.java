package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import org.jspecify.annotations.Nullable;

/** Operations in the form in which PyTorch users know them. All that compute are differentiable. */
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
}
