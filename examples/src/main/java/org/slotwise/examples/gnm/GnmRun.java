package org.slotwise.examples.gnm;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What decides a training to the last bit, on one machine and with one number of threads.
 *
 * @param pictures what tells the pictures from others
 * @param size their height and width
 * @param recipe how it is trained
 * @param steps how many steps it takes
 * @param seed what weights, pictures and all other random choices start from
 */
record GnmRun(String pictures, int size, GnmRecipe recipe, int steps, int seed) {

    /** The same as texts: a checkpoint of another run is refused. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("the pictures", pictures);
        texts.put("--size", Integer.toString(size));
        texts.put("--recipe", recipe.toString());
        texts.put("--steps", Integer.toString(steps));
        texts.put("--seed", Integer.toString(seed));
        texts.put("the schedules", recipe.schedules().toString());
        texts.put("the start", String.valueOf(recipe.start()));
        return texts;
    }
}
