package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.Random;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * The first stage of a training: encoder and slots learn with a decoder that makes a picture of
 * each slot and mixes them.
 *
 * @param discovery what is trained
 * @param scenes the pictures
 * @param recipe how
 */
record SlotStage(ObjectDiscovery discovery, Scenes scenes, DiffusionRecipe recipe) {

    TrainingStep step(NDManager manager, Adam adam, GradientClipping clipping, Random draws)
            throws IOException {
        NDArray images =
                SceneArrays.images(
                        manager, scenes, draws.longs(recipe.batch(), 0, scenes.size()).toArray());
        ParameterStore store = new ParameterStore(manager, false);
        return TrainingStep.take(
                manager,
                Learning.parameters(discovery),
                adam,
                clipping,
                () -> {
                    ObjectDiscoveryOutput out = discovery.discover(store, images, true);
                    NDArray target = out.target() == null ? images : out.target();
                    return out.reconstruction().sub(target).square().mean();
                });
    }
}
