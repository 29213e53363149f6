package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;

/**
 * Numbers at even distances, which the device makes itself: nothing is copied from the host.
 *
 * @param first F, a multiple of a half
 * @param step S, likewise; not 0
 * @param count how many numbers, at least 1
 * @param divisor D, not 0
 */
public record EvenSpacing(double first, double step, int count, double divisor) {

    /**
     * Makes the numbers {@code (F + i S) / D}, rounded once to the type.
     *
     * @param manager the owner
     * @param device where the array is made
     * @param type float16, float32 or float64
     * @return (count)
     */
    public NDArray on(NDManager manager, Device device, DataType type) {
        // A quotient that is rounded to twice as many digits and two more, and then again, is the
        // one that is rounded once: float32 does for float16. float64 not, which takes its own.
        DataType computed = type == DataType.FLOAT64 ? type : DataType.FLOAT32;
        try (Scope scope = new Scope()) {
            PtNDManager owner = (PtNDManager) manager;
            float stop = (float) (first + (count - 0.5) * step); // half a step before the next one
            NDArray numbers =
                    JniUtils.arange(
                            owner,
                            (float) first,
                            stop,
                            (float) step,
                            computed,
                            device,
                            SparseFormat.DENSE);
            NDArray by =
                    JniUtils.full(
                            owner, new Shape(), divisor, computed, device, SparseFormat.DENSE);
            return scope.keep(numbers.div(by).toType(type, false), manager);
        }
    }
}
