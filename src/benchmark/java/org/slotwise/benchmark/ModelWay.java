package org.slotwise.benchmark;

import java.util.Map;

/** One way to compute a whole model, with weights of its own. */
interface ModelWay {

    /** What the results call it. */
    String name();

    /**
     * Makes a training step with Adam, or a prediction.
     *
     * @param inputs the name of inputs of {@link ModelSubject}
     * @return milliseconds
     */
    double run(String inputs, boolean training);

    /**
     * Makes the same.
     *
     * @return the most memory of its process meanwhile, beyond what it had before, in MB
     */
    double peak(String inputs, boolean training);

    /** Outputs and gradients for a few inputs, by name, before any step was taken. */
    Map<String, float[]> results();
}
