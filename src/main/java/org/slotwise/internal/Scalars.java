package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.ByteBuffer;

/**
 * Constants for use in arithmetic that gradients flow through.
 *
 * <p>{@code x.mul(0.5f)} must not be used there. DJL wraps the number's Java buffer in a tensor and
 * drops it; the recorded graph still points to it, so that a garbage collection between forward and
 * backward turns the gradient into garbage (docs/djl.md). The constants here are allocated by the
 * engine itself and live as long as any graph needs them.
 */
public final class Scalars {

    private Scalars() {}

    /**
     * Returns a number as an array without dimensions, of the same type and on the same device as
     * another array, owned by that array's manager.
     *
     * @param like the array to agree with
     * @param value the number
     * @return an array of shape ()
     */
    public static NDArray like(NDArray like, double value) {
        return ofType(like, value, like.getDataType());
    }

    /**
     * Returns a number as an array without dimensions, on the same device as another array, owned
     * by that array's manager.
     *
     * @param like the array whose device and manager are used
     * @param value the number
     * @param type the type of the constant
     * @return an array of shape ()
     */
    public static NDArray ofType(NDArray like, double value, DataType type) {
        return full(like.getManager(), new Shape(), value, type, like.getDevice());
    }

    /**
     * Returns an array filled with a number, on the same device as another array, owned by that
     * array's manager.
     *
     * @param like the array whose device and manager are used
     * @param shape the shape
     * @param value the number
     * @param type the type
     * @return the array
     */
    public static NDArray full(NDArray like, Shape shape, double value, DataType type) {
        return full(like.getManager(), shape, value, type, like.getDevice());
    }

    /**
     * Returns an array filled with a number, in double precision where the type has it (DJL's own
     * {@code full} takes a float).
     *
     * @param manager the owner, on whose device the array is made
     * @param shape its shape
     * @param value the number
     * @param type its type
     * @return the array
     */
    public static NDArray full(NDManager manager, Shape shape, double value, DataType type) {
        return full(manager, shape, value, type, manager.getDevice());
    }

    private static NDArray full(
            NDManager manager, Shape shape, double value, DataType type, Device device) {
        return JniUtils.full((PtNDManager) manager, shape, value, type, device, SparseFormat.DENSE);
    }

    /**
     * Returns an array of numbers in memory of the engine's own.
     *
     * @param manager the owner
     * @param device where the array is made
     * @param values the numbers in row-major order
     * @param shape the array's shape
     * @param type the array's type
     * @return the array
     */
    public static NDArray of(
            NDManager manager, Device device, double[] values, Shape shape, DataType type) {
        PtNDManager owner = (PtNDManager) manager;
        ByteBuffer buffer = manager.allocateDirect(Math.multiplyExact(values.length, Double.BYTES));
        buffer.asDoubleBuffer().put(values);
        try (NDArray shared =
                JniUtils.createNdFromByteBuffer(
                        owner, buffer, shape, DataType.FLOAT64, SparseFormat.DENSE, Device.cpu())) {
            NDArray array =
                    JniUtils.createEmptyNdArray(owner, shape, type, device, SparseFormat.DENSE);
            Ops.overwrite(array, shared);
            return array;
        }
    }

    /**
     * Returns an array with the values of {@code array} in memory of the engine's own.
     *
     * <p>Arrays made with {@code manager.create(...)} share a Java buffer, which is freed when they
     * are closed, whether or not a recorded graph still refers to it. The copy has no such tie. No
     * gradient flows through it.
     *
     * @param array any array
     * @return a copy, owned by the same manager
     */
    public static NDArray ownMemory(NDArray array) {
        return JniUtils.clone((PtNDArray) array);
    }

    /**
     * The lowest finite number of a type.
     *
     * @param type float16, float32 or float64
     * @return a negative number
     */
    public static double lowest(DataType type) {
        return switch (type) {
            case FLOAT16 -> -65504;
            case FLOAT32 -> -Float.MAX_VALUE;
            default -> -Double.MAX_VALUE;
        };
    }

    /**
     * The smallest number of a type that is not zero.
     *
     * @param type float16, float32 or float64
     * @return a positive number
     */
    public static double smallest(DataType type) {
        return switch (type) {
            case FLOAT16 -> 0x1p-24;
            case FLOAT32 -> Float.MIN_VALUE;
            default -> Double.MIN_VALUE;
        };
    }
}
