package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Random;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateNoise;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/**
 * The second half of a training: slots and transformer learn to explain tokens that are known.
 *
 * @param slate what is trained, but for its auto-encoder
 * @param parameters those that are trained
 * @param tokens of all pictures
 * @param recipe how
 */
record SlotHalf(Slate slate, List<Parameter> parameters, PictureTokens tokens, SlateRecipe recipe) {

    /** All but the auto-encoder. */
    static List<Parameter> parameters(Slate slate) {
        List<Parameter> dvae = slate.dvae().getParameters().values();
        return slate.getParameters().values().stream().filter(p -> !dvae.contains(p)).toList();
    }

    /** Takes a step. */
    TrainingStep step(NDManager manager, Adam adam, GradientClipping clipping, Random draws) {
        NDArray some = tokens.some(manager, draws.ints(recipe.batch(), 0, tokens.size()).toArray());
        ParameterStore store = new ParameterStore(manager, false);
        return TrainingStep.take(
                manager,
                parameters,
                adam,
                clipping,
                () -> slate.explain(store, some, SlateNoise.drawn(), true).crossEntropy());
    }
}
