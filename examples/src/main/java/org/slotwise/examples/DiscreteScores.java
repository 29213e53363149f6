package org.slotwise.examples;

import ai.djl.training.ParameterStore;
import ai.djl.translate.TranslateException;
import java.io.IOException;

/**
 * How well a {@link DiscreteModel} describes scenes by codes, and how it uses them.
 *
 * @param continuous the scores of slots before they are made discrete, with the decoder that they
 *     were learnt with
 * @param discrete the scores of the most probable codes
 * @param usage how often each code was used, of objects alone
 */
record DiscreteScores(
        DiscoveryScores.Scores continuous, DiscoveryScores.Scores discrete, CodeUsage usage) {

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
        DiscoveryScores scores = new DiscoveryScores(DiscreteModel.TASK, seed, count);
        int iterations = DiscreteModel.TASK.recipe().testIterations();
        return new DiscreteScores(
                scores.ofModel(model.discovery(), iterations),
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
    static DiscoveryScores.Scores discrete(DiscreteModel model, long seed, int count)
            throws IOException, TranslateException {
        return discrete(
                model,
                new DiscoveryScores(DiscreteModel.TASK, seed, count),
                new CodeUsage(model.quantizer().latents(), model.quantizer().codes()));
    }

    private static DiscoveryScores.Scores discrete(
            DiscreteModel model, DiscoveryScores scores, CodeUsage usage)
            throws IOException, TranslateException {
        return scores.of(
                (manager, images) -> {
                    DiscreteModel.Description found =
                            model.describe(new ParameterStore(manager, false), images);
                    usage.add(
                            found.quantized().codes(),
                            EditedScene.background(found.decoding().masks()));
                    return DiscoveryScores.Result.of(found.decoding(), images);
                });
    }
}
