package org.slotwise.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.function.Supplier;

/**
 * A block's equations as calls of the engine ({@link LoadedScript}), with activations of
 * convolutions in their own place and, in float32, oneDNN's operations ({@link OneDnnScript}).
 */
public final class LoadedByType {

    private final LoadedScript asWritten;
    private final LoadedScript inFloat32;

    private LoadedByType(Supplier<ScriptModule> equations) {
        asWritten = LoadedScript.of(() -> InPlaceScript.of(equations.get()));
        inFloat32 = LoadedScript.of(() -> OneDnnScript.of(InPlaceScript.of(equations.get())));
    }

    /**
     * Equations that are loaded when they are first called.
     *
     * @param equations gives the module; one that cannot be written fits no call
     * @return the scripts
     */
    public static LoadedByType of(Supplier<ScriptModule> equations) {
        return new LoadedByType(equations);
    }

    /**
     * The script for a call.
     *
     * @param input the block's main input, of the parameters' type
     * @return the script
     */
    public LoadedScript of(NDArray input) {
        return input.getDataType() == DataType.FLOAT32 ? inFloat32 : asWritten;
    }
}
