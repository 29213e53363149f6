package org.slotwise.engine;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import java.util.function.Supplier;
import org.slotwise.testing.OnDevice;

/** What the tests of this package ask about graphs. */
final class Graphs {

    private Graphs() {}

    /** Ones of shape (2) in memory of the engine's own, that ask for a gradient. */
    static NDArray leaf(NDManager manager) {
        return leaf(manager, DataType.FLOAT32);
    }

    static NDArray leaf(NDManager manager, DataType type) {
        NDArray leaf = manager.ones(new Shape(2), type);
        leaf.setRequiresGradient(true);
        return leaf;
    }

    /** Whether a graph was recorded: only then does the engine go backward. */
    static boolean recorded(NDArray result) {
        try (NDArray ones = result.onesLike()) {
            JniUtils.backward((PtNDArray) result, (PtNDArray) ones, true, false);
            return true;
        } catch (EngineException e) {
            return false;
        }
    }

    /** The same for a result that is computed while a gradient collector is open. */
    @SuppressWarnings("try") // the collector works by being open
    static boolean recordedInCollector(Supplier<NDArray> operation) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            return recorded(operation.get());
        }
    }

    /** Java buffers back arrays on the CPU alone; elsewhere they are copied. */
    static boolean onCpu() {
        return !OnDevice.device().isGpu();
    }
}
