package org.slotwise.examples.diffusion;

import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.model.LatentSlotDiffusionConfiguration;

/**
 * What decides a training to the last bit, on one machine, with one number of threads and of
 * groups.
 *
 * @param pictures what tells the pictures from others
 * @param model what the model is made from
 * @param slotSteps how many steps encoder, slots and their decoder take
 * @param codeSteps how many steps the autoencoder takes after that
 * @param steps how many steps the denoiser takes after that
 * @param seed what weights, pictures and all other random choices start from
 */
record DiffusionRun(
        String pictures,
        LatentSlotDiffusionConfiguration model,
        int slotSteps,
        int codeSteps,
        int steps,
        int seed) {

    /** A part of a training. */
    enum Stage {
        /** Encoder and slots learn with a decoder that mixes slots. */
        SLOTS("slots"),
        /** The autoencoder learns to make latents of pictures. */
        CODES("autoencoder"),
        /** The denoiser learns, told slots that no longer change. */
        DENOISER("denoiser");

        private final String words;

        Stage(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /** The same as texts: a checkpoint of another run is refused. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("the pictures", pictures);
        texts.put("--slot-steps", Integer.toString(slotSteps));
        texts.put("--autoencoder-steps", Integer.toString(codeSteps));
        texts.put("--steps", Integer.toString(steps));
        texts.put("--seed", Integer.toString(seed));
        texts.put("the model", model.toString());
        texts.put("the recipe", DiffusionRecipe.USUAL.toString());
        return texts;
    }

    /** Steps of all stages. */
    int allSteps() {
        return end(Stage.DENOISER);
    }

    /** The last step of a stage. */
    int end(Stage stage) {
        return switch (stage) {
            case SLOTS -> slotSteps;
            case CODES -> slotSteps + codeSteps;
            case DENOISER -> slotSteps + codeSteps + steps;
        };
    }

    /** How many steps a stage has. */
    int steps(Stage stage) {
        return switch (stage) {
            case SLOTS -> slotSteps;
            case CODES -> codeSteps;
            case DENOISER -> steps;
        };
    }

    /** The stage of a step, from 1. */
    Stage stage(long step) {
        return step <= end(Stage.SLOTS)
                ? Stage.SLOTS
                : step <= end(Stage.CODES) ? Stage.CODES : Stage.DENOISER;
    }
}
