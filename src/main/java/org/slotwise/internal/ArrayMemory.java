package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** The memory of arrays of float32 on the CPU, for loops of Java's own. */
public final class ArrayMemory {

    private ArrayMemory() {}

    /**
     * The memory itself, not a copy.
     *
     * @param array float32 on the CPU, which must live as long as its memory is read
     * @return its elements in order
     */
    public static FloatBuffer floats(NDArray array) {
        return array.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /**
     * Whether an array is not too large: Java addresses shared memory with int.
     *
     * @param array any array
     * @return whether {@link #floats} can be asked for it
     */
    public static boolean canHold(NDArray array) {
        return array.size() <= Integer.MAX_VALUE / Float.BYTES;
    }

    /**
     * Whether loops over such arrays are faster than the engine's operations may be: float32 on the
     * CPU, of a machine where {@link VectorLoops#areFast}.
     *
     * @param like an array
     * @return whether they are
     */
    public static boolean suitsLoops(NDArray like) {
        return like.getDataType() == DataType.FLOAT32
                && !like.getDevice().isGpu()
                && VectorLoops.areFast();
    }

    /**
     * A copy.
     *
     * @param array as for {@link #floats}
     * @return its elements in order
     */
    public static float[] numbers(NDArray array) {
        float[] numbers = new float[Math.toIntExact(array.size())];
        read(array, numbers);
        return numbers;
    }

    /**
     * Reads all elements.
     *
     * @param array as for {@link #floats}
     * @param to as many
     */
    public static void read(NDArray array, float[] to) {
        floats(array).get(to);
    }

    /**
     * Reads rows.
     *
     * @param array as for {@link #floats}
     * @param to where the rows are written, each as long as what is written there
     * @param rows how many
     */
    public static void read(NDArray array, float[][] to, int rows) {
        FloatBuffer numbers = floats(array);
        for (int i = 0; i < rows; i++) {
            numbers.get(to[i]);
        }
    }
}
