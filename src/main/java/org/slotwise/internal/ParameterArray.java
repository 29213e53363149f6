package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;

/**
 * The array that a parameter had when it was looked at, with its place in the engine: an array may
 * change places and remain the same object.
 *
 * @param parameter the parameter
 * @param array its array
 * @param place where the engine had it
 */
public record ParameterArray(Parameter parameter, NDArray array, long place) {

    /**
     * The array that a parameter has now.
     *
     * @param parameter a parameter that has a value
     * @return the array
     */
    public static ParameterArray of(Parameter parameter) {
        NDArray array = parameter.getArray();
        return new ParameterArray(parameter, array, place(array));
    }

    /**
     * Whether the parameter has it still.
     *
     * @return false after loading, for example
     */
    public boolean isCurrent() {
        return parameter.getArray() == array && place(array) == place;
    }

    /**
     * Frees the parameters of a block that nobody gets, since making it failed: they would stay in
     * their manager.
     *
     * @param block a block, initialised or only in part
     */
    public static void closeAll(Block block) {
        block.getParameters().values().forEach(Parameter::close);
    }

    private static long place(NDArray array) {
        return ((PtNDArray) array).getHandle();
    }
}
