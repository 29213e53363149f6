package org.slotwise.examples.compare;

import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.examples.ablate.Ablation;
import org.slotwise.examples.ablate.AblationModel.GroupingMaker;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.Kernel;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.grouping.SlotMixtureGrouping.Likelihood;
import org.slotwise.grouping.SoftKMeansGrouping;
import org.slotwise.grouping.SoftKMeansGrouping.Score;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.layer.FeedForward;

/** The groupings of {@link CompareGroupings}; another one is one entry more. */
final class ComparedGroupings {

    private static final int HIDDEN = 128;
    private static final double DEVIATION = 0.1;

    static final List<Ablation> ALL =
            List.of(
                    new Ablation("slot-attention", "SlotAttention", UnaryOperator.identity()),
                    new Ablation(
                            "slot-attention-implicit",
                            "SlotAttention, implicit differentiation",
                            model ->
                                    model.optAttention(
                                            block -> block.optImplicitDifferentiation(true))),
                    conditioned(
                            "invariant",
                            "InvariantSlotAttention",
                            (k, f, d) ->
                                    InvariantSlotAttention.builder()
                                            .setDim(d)
                                            .setFeatureDim(f)
                                            .optFeedForward(new FeedForward(d, HIDDEN))
                                            .build()),
                    mixture("slot-mixture", "SlotMixtureGrouping", Likelihood.FULL),
                    mixture(
                            "slot-mixture-distance",
                            "SlotMixtureGrouping by distance only",
                            Likelihood.DISTANCE_ONLY),
                    sticks("stick-breaking", "StickBreakingGrouping", Kernel.GAUSSIAN, false),
                    sticks(
                            "genesis-v2",
                            "StickBreakingGrouping, semi-convolutional",
                            Kernel.GAUSSIAN,
                            true),
                    softKMeans(
                            "soft-k-means",
                            "SoftKMeansGrouping by dot products",
                            Score.DOT_PRODUCT),
                    softKMeans(
                            "soft-k-means-distance",
                            "SoftKMeansGrouping by distances",
                            Score.SQUARED_DISTANCE),
                    new Ablation("slot-mlp", "SlotMlp", model -> model.optSlotMlp(true)));

    private ComparedGroupings() {}

    private static Ablation conditioned(String name, String what, GroupingMaker maker) {
        return new Ablation(name, what, model -> model.optGrouping(maker));
    }

    /** From slots that start close together: of far ones the first step leaves most empty. */
    private static Ablation mixture(String name, String what, Likelihood likelihood) {
        GroupingMaker maker =
                (k, f, d) ->
                        SlotMixtureGrouping.builder()
                                .setDim(d)
                                .setFeatureDim(f)
                                .optLikelihood(likelihood)
                                .optFeedForward(new FeedForward(d / 2, HIDDEN))
                                .build();
        return new Ablation(name, what, model -> model.optDeviation(DEVIATION).optGrouping(maker));
    }

    private static Ablation softKMeans(String name, String what, Score score) {
        return conditioned(
                name, what, (k, f, d) -> SoftKMeansGrouping.builder().optScore(score).build());
    }

    /** With the kernel as wide as in GENESIS-V2. */
    private static Ablation sticks(
            String name, String what, Kernel kernel, boolean semiConvolutional) {
        GroupingMaker maker =
                (k, f, d) ->
                        StickBreakingGrouping.builder()
                                .setSlots(k)
                                .setFeatureDim(f)
                                .setObjectDim(d)
                                .optKernel(kernel)
                                .optKernelVar(kernel.startingVar(k))
                                .optLearnKernelVar(true)
                                .optSemiConvolutional(semiConvolutional)
                                .build();
        return new Ablation(name, what, model -> model.optConditioned(false).optGrouping(maker));
    }
}
