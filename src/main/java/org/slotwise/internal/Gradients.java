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
     * Goes back from an array whose gradient is known: to what it was computed of, and to itself
     * where it is trainable; to nothing, where it is neither. Its graph is gone then.
     *
     * @param array any array
     * @param gradient of the array's shape and type
     */
    public static void back(NDArray array, NDArray gradient) {
        Loaded.SCRIPT.call("back", array, gradient).close();
    }

    /** Loaded at the first use. DJL cannot be asked whether an array is part of a graph. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        """
                        def back(self: __torch__.Script, x: Tensor, gradient: Tensor) -> Tensor:
                          if ops.prim.requires_grad(x):
                            _0 = torch.autograd.backward([x], annotate(List[Optional[Tensor]], [gradient]))
                          return torch.detach(gradient)
                        """);
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
