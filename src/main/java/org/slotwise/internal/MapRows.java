package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;

/**
 * Reads linear maps for {@link ColumnProducts}: what an element is mapped to is a row, where the
 * engine has a row for what is mapped to an element.
 */
public final class MapRows {

    private final float[][] rows; // of a map as the engine has it

    /**
     * Room for reading.
     *
     * @param out the largest number of elements that a map gives
     * @param in the largest number that it takes
     */
    public MapRows(int out, int in) {
        rows = new float[out][in];
    }

    /**
     * Room for a map: an even number of rows, the last of which may stay 0.
     *
     * @param in how many elements it takes
     * @param out how many it gives
     * @return (in)(out), or one row more
     */
    public static float[][] of(int in, int out) {
        return new float[ColumnProducts.width(in)][out];
    }

    /**
     * Reads a map.
     *
     * @param weight (out, in), float32 on the CPU
     * @param map (in)(out)
     * @param in how many elements it takes
     * @param out how many it gives
     */
    public void turn(NDArray weight, float[][] map, int in, int out) {
        FloatBuffer numbers = ArrayMemory.floats(weight);
        for (int i = 0; i < out; i++) {
            numbers.get(rows[i], 0, in);
        }
        VectorLoops.transpose(rows, map, out, in);
    }
}
