package org.slotwise.examples.edit;

import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import org.slotwise.examples.shared.SceneScoring;

/**
 * How well a {@link DiscreteModel} describes scenes by codes, and how it uses them.
 *
 * @param continuous the scores of slots before they are made discrete, with the decoder that they
 *     were learnt with
 * @param discrete the scores of the most probable codes
 * @param usage how often each code was used, of objects alone
 */
record DiscreteScores(
        SceneScoring.Scores continuous, SceneScoring.Scores discrete, CodeUsage usage) {

    /**
     * Scores a model.
     *
     * @param model the model
     * @param seed which scenes
     * @param count how many
     * @return its scores
     */
    static DiscreteScores of(DiscreteModel model, long seed, int count)
            throws IOException, TranslateException {
        CodeUsage usage = new CodeUsage(model.quantizer().latents(), model.quantizer().codes());
        SceneScoring scores = DiscreteModel.TASK.scoring(seed, count);
        return new DiscreteScores(
                scores.of(model.discovery().segmenting(model.iterations())),
                discrete(model, scores, usage),
                usage);
    }

    /**
     * Scores the codes alone.
     *
     * @param model the model
     * @param seed which scenes
     * @param count how many
     * @return the scores of the most probable codes
     */
    static SceneScoring.Scores discrete(DiscreteModel model, long seed, int count)
            throws IOException, TranslateException {
        return discrete(
                model,
                DiscreteModel.TASK.scoring(seed, count),
                new CodeUsage(model.quantizer().latents(), model.quantizer().codes()));
    }

    private static SceneScoring.Scores discrete(
            DiscreteModel model, SceneScoring scores, CodeUsage usage)
            throws IOException, TranslateException {
        return scores.of(
                (manager, images) -> {
                    DiscreteModel.Description found =
                            model.describe(new ParameterStore(manager, false), images);
                    usage.add(
                            found.quantized().codes(),
                            EditedScene.background(found.decoding().masks()));
                    return SceneScoring.Result.of(found.decoding(), images);
                });
    }
}
