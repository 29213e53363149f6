package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.Random;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.LatentDiffusionDecoder;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * The third stage of a training: the denoiser learns, told slots that no longer change.
 *
 * @param decoder what is trained
 * @param pictures their slots and latents
 * @param recipe how
 * @param groups in how many parts a step's pictures go back, one after the other
 */
record DenoiserStage(
        LatentDiffusionDecoder decoder, SeenPictures pictures, DiffusionRecipe recipe, int groups) {

    TrainingStep step(NDManager manager, Adam adam, GradientClipping clipping, Random draws)
            throws IOException {
        int[] some = draws.ints(recipe.batch(), 0, pictures.size()).toArray();
        SeenPictures.Seen seen = pictures.read(manager, some);
        NDArray latents = seen.latents();
        NDArray slots = seen.slots();
        DiffusionDraws noise = draws(manager, latents, draws);
        ParameterStore store = new ParameterStore(manager, false);
        return TrainingStep.takeByParts(
                manager,
                Learning.parameters(decoder),
                adam,
                clipping,
                backward ->
                        decoder.backward(store, latents, slots, false, noise, groups, backward));
    }

    private DiffusionDraws draws(NDManager manager, NDArray latents, Random draws) {
        return DiffusionDraws.of(
                draws,
                decoder.learning().noising().schedule(),
                manager,
                latents.getShape(),
                latents.getDataType(),
                0);
    }
}
