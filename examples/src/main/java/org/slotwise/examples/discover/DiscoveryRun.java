package org.slotwise.examples.discover;

import java.util.Map;

/**
 * What decides a training to the last bit, on one machine and with one number of threads.
 *
 * @param task what is learnt
 * @param steps how many steps
 * @param learningRate the highest learning rate
 * @param seed what weights, scenes and all other random choices start from
 */
record DiscoveryRun(DiscoveryTask task, int steps, double learningRate, int seed) {

    /** The same as texts, with what the program fixes: a checkpoint of another run is refused. */
    Map<String, String> texts() {
        return Map.of(
                "--data", task.toString(),
                "--steps", Integer.toString(steps),
                "--learning-rate", Double.toString(learningRate),
                "--seed", Integer.toString(seed),
                "the model", task.layout().toString(),
                "the recipe", task.recipe().toString());
    }
}
