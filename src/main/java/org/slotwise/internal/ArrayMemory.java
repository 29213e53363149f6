package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
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
