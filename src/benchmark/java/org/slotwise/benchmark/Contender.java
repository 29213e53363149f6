package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.function.Supplier;

/** One way to compute what is measured. */
interface Contender extends Computed {

    /**
     * Makes one pass: forward, and if training backward to all inputs and parameters.
     *
     * @return milliseconds
     */
    double run(boolean training);

    /** A way of which a pass is the same with training and without. */
    static Contender of(
            NDManager manager, String name, Runnable pass, Supplier<Map<String, float[]>> results) {
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double run(boolean training) {
                return milliseconds(manager, pass);
            }

            @Override
            public Map<String, float[]> results() {
                return results.get();
            }
        };
    }

    /** The milliseconds that something takes until the manager's device has done it. */
    static double milliseconds(NDManager manager, Runnable pass) {
        EngineThreads.awaken();
        await(manager);
        long start = System.nanoTime();
        pass.run();
        await(manager);
        return (System.nanoTime() - start) / 1e6;
    }

    /**
     * Waits until a GPU has done what it was asked to: it takes one after the other, and a number
     * is there to be read when all before it is done.
     */
    static void await(NDManager manager) {
        if (manager.getDevice().isGpu()) {
            try (NDArray number = manager.zeros(new Shape(1))) {
                number.toFloatArray();
            }
        }
    }
}
