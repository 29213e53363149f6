package org.slotwise.examples.pictures;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The options of trainings of three slots that are too short to learn anything. */
final class ShortTraining {

    private ShortTraining() {}

    /**
     * Options with their values.
     *
     * @param images where the pictures are
     * @param out where the model goes
     * @param steps how many
     * @param more options and values, which replace those of the same name or come after them
     */
    static List<String> options(String images, String out, int steps, String... more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("--images", images);
        options.put("--out", out);
        options.put("--steps", Integer.toString(steps));
        options.put("--size", "16");
        options.put("--slots", "3");
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i], more[i + 1]);
        }
        List<String> args = new ArrayList<>();
        options.forEach((option, value) -> args.addAll(List.of(option, value)));
        return args;
    }
}
