package org.slotwise.virtualgpu;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import java.lang.reflect.Field;
import org.slotwise.internal.LoadedModule;

/**
 * The settings of functions in TorchScript. They lie on the CPU on purpose, whatever they are given
 * together with: the function reads them as Java numbers, which on a GPU it would have to wait for.
 */
final class ScriptSettings {

    private static final NDManager OWNER = owner();

    private ScriptSettings() {}

    private static NDManager owner() {
        try {
            Field owner = LoadedModule.class.getDeclaredField("OWNER");
            owner.setAccessible(true);
            return (NDManager) owner.get(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("LoadedModule keeps the settings of scripts elsewhere now", e);
        }
    }

    static boolean has(PtNDArray array) {
        return array.getManager() == OWNER;
    }
}
