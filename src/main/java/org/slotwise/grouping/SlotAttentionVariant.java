package org.slotwise.grouping;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Slot Attention without some of its parts, or with others in their place: the ablations by which
 * the paper shows what each part is for.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), section B:
 * figures 7, 10, 11 and 13, and the last paragraph, on soft k-means.
 *
 * <pre>{@code
 *                        in the paper                       here
 * PROJECTIONS            k = Wk x, v = Wv x, q = Wq s       k = v = x, q = s
 * LAYER_NORMS            LayerNorm(features), LayerNorm(s)  features, s
 * GRU                    s = GRU(u, s)                      s = u
 * SoftmaxOver.FEATURES   a = softmax over slots             a = softmax over features, for each slot
 * WEIGHTED_SUM           w = (a + eps) / sum of (a + eps)   w = a + eps
 * NORMALIZED_SUM                                            w = a + eps, u = LayerNorm(sum of w v)
 * }</pre>
 *
 * <p>What is left out has no parameters and no names in a state dict. NORMALIZED_SUM adds {@code
 * norm_updates.weight} and {@code norm_updates.bias} (C), and keeps them without LAYER_NORMS. The
 * softmax is taken over all features of an image; a masked slot has attention 0 either way. The dot
 * products are divided by sqrt(C / H) in every variant.
 *
 * <p>Without GRU, q, k, v and slots must be of one size, C = D. Without PROJECTIONS features must
 * be of it, too, F = C = D, and there is one head. A feed-forward is an option of its own, with a
 * LayerNorm of its own.
 *
 * @param leftOut the parts that are left out
 * @param softmaxOver what competes
 * @param aggregation what a slot is given of the values
 */
public record SlotAttentionVariant(
        Set<Part> leftOut, SoftmaxOver softmaxOver, Aggregation aggregation) {

    /** A part that can be left out. */
    public enum Part {
        /** The recurrent update: a slot is replaced by what it is given. */
        GRU,
        /** The normalisation of features and of slots. */
        LAYER_NORMS,
        /** The maps to keys, values and queries. */
        PROJECTIONS
    }

    /** What the attention is normalised over. */
    public enum SoftmaxOver {
        /** Over slots and heads: slots compete for each feature. */
        SLOTS,
        /** Over features, as in other attention: slots do not know of each other. */
        FEATURES
    }

    /** What a slot is given of the values that it attends to. */
    public enum Aggregation {
        /** Their weighted mean. */
        WEIGHTED_MEAN,
        /** Their weighted sum: the more features, the longer. */
        WEIGHTED_SUM,
        /** Their weighted sum with a LayerNorm after it. */
        NORMALIZED_SUM
    }

    /** Algorithm 1 of the paper, with nothing left out. */
    public static final SlotAttentionVariant PAPER =
            new SlotAttentionVariant(Set.of(), SoftmaxOver.SLOTS, Aggregation.WEIGHTED_MEAN);

    /**
     * The paper's soft k-means, whose score is the dot product in place of the distance. There are
     * no parameters. {@link SoftKMeansGrouping} is the same as a grouping of its own, and has
     * distances and a temperature.
     *
     * <pre>{@code
     * a = softmax over slots of  s . x / sqrt(D)
     * s = sum over features of (a + eps) x / sum over features of (a + eps)
     * }</pre>
     */
    public static final SlotAttentionVariant SOFT_K_MEANS =
            PAPER.without(Part.GRU, Part.LAYER_NORMS, Part.PROJECTIONS);

    /**
     * Creates the record.
     *
     * @param leftOut the parts that are left out; copied
     * @param softmaxOver what competes
     * @param aggregation what a slot is given of the values
     * @throws IllegalArgumentException if one is null
     */
    public SlotAttentionVariant {
        EnumSet<Part> copy = EnumSet.noneOf(Part.class);
        copy.addAll(leftOut);
        leftOut = Collections.unmodifiableSet(copy);
    }

    /**
     * The same without some parts more.
     *
     * @param parts what is left out besides what is left out already
     * @return another variant
     */
    public SlotAttentionVariant without(Part... parts) {
        EnumSet<Part> all = EnumSet.noneOf(Part.class);
        all.addAll(leftOut);
        all.addAll(Arrays.asList(parts));
        return new SlotAttentionVariant(all, softmaxOver, aggregation);
    }

    /**
     * The same with another competition.
     *
     * @param over what the attention is normalised over
     * @return another variant
     */
    public SlotAttentionVariant withSoftmaxOver(SoftmaxOver over) {
        return new SlotAttentionVariant(leftOut, over, aggregation);
    }

    /**
     * The same with another aggregation.
     *
     * @param of what a slot is given of the values
     * @return another variant
     */
    public SlotAttentionVariant withAggregation(Aggregation of) {
        return new SlotAttentionVariant(leftOut, softmaxOver, of);
    }

    boolean has(Part part) {
        return !leftOut.contains(part);
    }
}
