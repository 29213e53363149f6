package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;

/** The threads among which the engine shares an operation. */
final class EngineThreads {

    private static final int SIDE = 256;

    private static int count = 1;

    private EngineThreads() {}

    /** Sets how many there are, of an engine that is there. */
    static void set(int threads) {
        Engine.getEngine("PyTorch");
        count = threads;
        JniUtils.setNumThreads(threads);
    }

    /**
     * Wakes them by an operation that is not timed. After some 20 ms of sleep Linux may wake a
     * thread on the processor where another already waits for it, spinning, and the first operation
     * then takes some 8 ms, whoever it belongs to.
     */
    static void awaken() {
        if (count == 1) {
            return;
        }
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                NDArray square = manager.ones(new Shape(SIDE, SIDE))) {
            square.matMul(square).close();
        }
    }
}
