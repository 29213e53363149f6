package org.slotwise.benchmark;

import java.util.Map;

/** One way to compute what is measured. */
interface Contender {

    /** What the results call it. */
    String name();

    /**
     * Makes one pass: forward, and if training backward to all inputs and parameters.
     *
     * @return milliseconds
     */
    double run(boolean training);

    /** Outputs, and gradients if there are any, by name. */
    Map<String, float[]> results();

    /** The milliseconds that something takes. */
    static double milliseconds(Runnable pass) {
        long start = System.nanoTime();
        pass.run();
        return (System.nanoTime() - start) / 1e6;
    }
}
