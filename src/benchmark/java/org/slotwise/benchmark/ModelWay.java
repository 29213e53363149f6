package org.slotwise.benchmark;

/** One way to compute a whole model, with weights of its own, compared before any step is taken. */
interface ModelWay extends Computed {

    /**
     * Makes a training step with Adam, or a prediction.
     *
     * @param inputs the name of inputs of a {@link WholeModel}
     * @return milliseconds
     */
    double run(String inputs, boolean training);

    /**
     * Makes the same.
     *
     * @return the most memory of its process meanwhile, beyond what it had before, in MB
     */
    double peak(String inputs, boolean training);
}
