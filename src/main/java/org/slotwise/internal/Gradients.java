package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import org.jspecify.annotations.Nullable;

/** The gradients that a backward pass left at trainable arrays. */
public final class Gradients {

    private Gradients() {}

    /**
     * The gradient of an array, where there is one. (DJL's {@code getGradient} makes float32 zeros
     * where there is none.)
     *
     * @param array a trainable array
     * @return a new handle on the gradient, in the array's manager, to be closed; or null
     */
    public static @Nullable NDArray of(NDArray array) {
        return JniUtils.getGradient((PtNDArray) array);
    }

    /**
     * Sets the gradient of an array to zero, where there is one.
     *
     * @param array a trainable array
     */
    public static void zero(NDArray array) {
        JniUtils.zeroGrad((PtNDArray) array);
    }
}
