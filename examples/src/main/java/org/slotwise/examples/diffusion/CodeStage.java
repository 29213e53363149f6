package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.Random;
import org.slotwise.autoencoder.LatentAutoencoder;
import org.slotwise.autoencoder.LatentDistribution;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * The second stage of a training: the autoencoder learns.
 *
 * <pre>{@code
 * loss = mean (decode(z) - x)² + divergence KL / numbers of a latent         z drawn, x in [-1, 1]
 * }</pre>
 *
 * @param autoencoder what is trained
 * @param scenes the pictures
 * @param recipe how
 */
record CodeStage(LatentAutoencoder autoencoder, Scenes scenes, DiffusionRecipe recipe) {

    TrainingStep step(NDManager manager, Adam adam, GradientClipping clipping, Random draws)
            throws IOException {
        NDArray images =
                SceneArrays.images(
                        manager,
                        scenes,
                        draws.longs(recipe.codeBatch(), 0, scenes.size()).toArray());
        NDArray x = images.sub(0.5f).mul(2);
        ParameterStore store = new ParameterStore(manager, false);
        return TrainingStep.take(
                manager,
                Learning.parameters(autoencoder),
                adam,
                clipping,
                () -> {
                    LatentDistribution codes = autoencoder.encode(store, x, true);
                    NDArray z = codes.sample();
                    NDArray error = autoencoder.decode(store, z, true).sub(x).square().mean();
                    double each = recipe.divergence() / z.size(1) / z.size(2) / z.size(3);
                    NDArray weight = manager.create((float) each);
                    return error.add(codes.kl().mean().mul(weight));
                });
    }
}
