package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.Random;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.DiscreteVae;
import org.slotwise.slate.DvaeOutput;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * The first half of a training: the auto-encoder learns tokens.
 *
 * @param dvae what is trained
 * @param scenes the pictures
 * @param recipe how
 * @param steps how many steps there are
 */
record DvaeHalf(DiscreteVae dvae, Scenes scenes, SlateRecipe recipe, int steps) {

    /** The temperature of samples at a step, from 1. */
    double temperature(long step) {
        return recipe.temperature(steps).at(step - 1);
    }

    /** Takes a step, the first one being 1. */
    TrainingStep step(
            NDManager manager, Adam adam, GradientClipping clipping, long step, Random draws)
            throws IOException {
        NDArray images =
                TrainingPictures.images(
                        manager,
                        scenes,
                        draws.longs(recipe.dvaeBatch(), 0, scenes.size()).toArray());
        GumbelSoftmax soft = new GumbelSoftmax(temperature(step), false);
        ParameterStore store = new ParameterStore(manager, false);
        return TrainingStep.take(
                manager,
                dvae.getParameters().values(),
                adam,
                clipping,
                () -> {
                    DvaeOutput out = dvae.reconstruct(store, images, soft, null, true);
                    NDArray error = images.sub(out.reconstruction()).square().sum();
                    NDArray each = manager.create((float) images.getShape().get(0));
                    NDArray weight = manager.create((float) recipe.unused());
                    return error.div(each).add(unevenness(out.logits()).mul(weight));
                });
    }

    /** How far the use of tokens is from even: the divergence of their mean probabilities. */
    private NDArray unevenness(NDArray logits) {
        NDArray p = logits.softmax(1).swapAxes(0, 1);
        NDArray used = p.reshape(p.getShape().get(0), -1).mean(new int[] {1});
        NDArray all = logits.getManager().create((float) used.size());
        NDArray least = logits.getManager().create(1e-20f);
        return used.mul(used.mul(all).maximum(least).log()).sum();
    }
}
