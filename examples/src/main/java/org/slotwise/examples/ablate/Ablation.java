package org.slotwise.examples.ablate;

import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.grouping.SlotAttentionVariant;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.Part;
import org.slotwise.grouping.SlotAttentionVariant.SoftmaxOver;

/**
 * One thing that is changed in the model of {@link AblateSlotAttention}.
 *
 * @param name a name for it
 * @param changes what it changes
 * @param change the change itself
 */
public record Ablation(String name, String changes, UnaryOperator<AblationModel.Builder> change) {

    private static final SlotAttentionVariant PAPER = SlotAttentionVariant.PAPER;

    /** All changes; the first one is none. */
    static final List<Ablation> ALL =
            List.of(
                    new Ablation("baseline", "nothing", UnaryOperator.identity()),
                    iterations(1),
                    iterations(2),
                    iterations(5),
                    slots(3),
                    slots(6),
                    positions("none", AblationEncoder.Positions.NONE),
                    positions("added", AblationEncoder.Positions.ADDED),
                    start("learnt", "learnt vectors", AblationModel.Start.LEARNT),
                    start(
                            "per-slot",
                            "draws from a distribution for each slot",
                            AblationModel.Start.SAMPLED_PER_SLOT),
                    variant("no-gru", "the update replaces the slot", PAPER.without(Part.GRU)),
                    variant(
                            "no-layer-norms",
                            "no LayerNorm of features and slots",
                            PAPER.without(Part.LAYER_NORMS)),
                    variant(
                            "no-projections",
                            "q, k, v are slots and features themselves",
                            PAPER.without(Part.PROJECTIONS)),
                    variant(
                            "softmax-features",
                            "softmax over features, not slots",
                            PAPER.withSoftmaxOver(SoftmaxOver.FEATURES)),
                    variant(
                            "sum",
                            "weighted sum, not mean",
                            PAPER.withAggregation(Aggregation.WEIGHTED_SUM)),
                    variant(
                            "normalized-sum",
                            "LayerNorm of the weighted sum, not mean",
                            PAPER.withAggregation(Aggregation.NORMALIZED_SUM)),
                    new Ablation(
                            "no-feed-forward",
                            "no perceptron after the GRU",
                            model -> model.optFeedForward(false)),
                    new Ablation(
                            "heads-4",
                            "4 heads, not 1",
                            model -> model.optAttention(block -> block.optHeads(4))),
                    new Ablation(
                            "implicit",
                            "implicit differentiation",
                            model ->
                                    model.optAttention(
                                            block -> block.optImplicitDifferentiation(true))),
                    new Ablation(
                            "soft-k-means",
                            "no GRU, LayerNorms, projections, perceptron",
                            model ->
                                    model.optFeedForward(false)
                                            .optAttention(
                                                    block ->
                                                            block.optVariant(
                                                                    SlotAttentionVariant
                                                                            .SOFT_K_MEANS))),
                    new Ablation(
                            "slot-mlp",
                            "a perceptron in place of Slot Attention",
                            model -> model.optSlotMlp(true)));

    private static Ablation iterations(int number) {
        return new Ablation(
                "iterations-" + number,
                "iterations: " + number + ", not 3",
                model -> model.optAttention(block -> block.optIterations(number)));
    }

    private static Ablation slots(int number) {
        return new Ablation(
                "slots-" + number, "slots: " + number + ", not 4", model -> model.optSlots(number));
    }

    private static Ablation positions(String way, AblationEncoder.Positions positions) {
        return new Ablation(
                "positions-" + way,
                "positions " + way + ", not concatenated",
                model -> model.optPositions(positions));
    }

    private static Ablation start(String way, String what, AblationModel.Start start) {
        return new Ablation(
                "start-" + way, "slots start from " + what, model -> model.optStart(start));
    }

    private static Ablation variant(String name, String changes, SlotAttentionVariant variant) {
        return new Ablation(
                name, changes, model -> model.optAttention(block -> block.optVariant(variant)));
    }

    /** The model with this changed, without weights. */
    public AblationModel model() {
        return change.apply(AblationModel.builder()).build();
    }
}
