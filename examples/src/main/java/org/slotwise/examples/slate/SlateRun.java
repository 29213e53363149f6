package org.slotwise.examples.slate;

import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.slate.SlateConfiguration;

/**
 * What decides a training to the last bit, on one machine and with one number of threads.
 *
 * @param pictures what tells the pictures from others
 * @param sizes those of the model
 * @param dvaeSteps how many steps the auto-encoder takes; 0 if it was given
 * @param steps how many steps slots and transformer take after that
 * @param rate the highest learning rate of slots and transformer
 * @param halveAfter after how many reports without a better cross entropy rates are halved; 0 for
 *     never
 * @param report after how many steps progress is told, which is when rates may be halved
 * @param dvae the checksum of the auto-encoder that was given; empty for none
 * @param seed what weights, pictures and all other random choices start from
 */
record SlateRun(
        String pictures,
        SlateConfiguration sizes,
        int dvaeSteps,
        int steps,
        double rate,
        int halveAfter,
        int report,
        String dvae,
        int seed) {

    /** The same as texts: a checkpoint of another run is refused. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("the pictures", pictures);
        texts.put("--dvae-steps", Integer.toString(dvaeSteps));
        texts.put("--steps", Integer.toString(steps));
        texts.put("--learning-rate", Double.toString(rate));
        texts.put("--halve-after", Integer.toString(halveAfter));
        if (halveAfter > 0) {
            texts.put("--report", Integer.toString(report));
        }
        texts.put("the auto-encoder", dvae);
        texts.put("--seed", Integer.toString(seed));
        texts.put("the model", sizes.toString());
        texts.put("the recipe", SlateRecipe.USUAL.toString());
        return texts;
    }

    /** Steps of both halves. */
    int allSteps() {
        return dvaeSteps + steps;
    }
}
