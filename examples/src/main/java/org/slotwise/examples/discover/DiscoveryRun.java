package org.slotwise.examples.discover;

import java.util.Map;
import java.util.TreeMap;

/**
 * What decides a training to the last bit, on one machine and with one number of threads.
 *
 * @param task what is learnt
 * @param steps how many steps
 * @param learningRate the highest learning rate
 * @param eps what the weights of slots that share a feature are kept from 0 by, above 0
 * @param seed what weights, scenes and all other random choices start from
 */
record DiscoveryRun(DiscoveryTask task, int steps, double learningRate, double eps, int seed) {

    /** The same as texts, with what the program fixes: a checkpoint of another run is refused. */
    Map<String, String> texts() {
        Map<String, String> texts = new TreeMap<>();
        texts.put("--data", task.toString());
        texts.put("--steps", Integer.toString(steps));
        texts.put("--learning-rate", Double.toString(learningRate));
        texts.put("--seed", Integer.toString(seed));
        texts.put("the model", task.layout().toString());
        texts.put("the recipe", task.recipe().toString());
        if (eps != DiscoveryModel.EPS) {
            texts.put("--eps", Double.toString(eps));
        }
        return texts;
    }
}
