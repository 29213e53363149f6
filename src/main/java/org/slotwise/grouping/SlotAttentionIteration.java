package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.SoftmaxOver;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GruCell;

/** One iteration of Slot Attention, and its repetition: the equations of {@link SlotAttention}. */
final class SlotAttentionIteration {

    private final Pass pass;
    private final SlotAttentionLayers layers;
    private final AttendedFeatures features;
    private final double scale;
    private final double eps;
    private final SlotAttentionVariant variant;
    private final UnaryOperator<NDArray> feedForward;
    private final @Nullable NDArray mask; // (B, 1, K, 1)

    /**
     * Prepares.
     *
     * @param scale what queries are multiplied by: 1 / sqrt(C / H) in Slot Attention
     */
    SlotAttentionIteration(
            Pass pass,
            SlotAttentionLayers layers,
            AttendedFeatures features,
            double scale,
            double eps,
            SlotAttentionVariant variant,
            @Nullable NDArray slotMask,
            UnaryOperator<NDArray> feedForward) {
        this.pass = pass;
        this.layers = layers;
        this.features = features;
        this.scale = scale;
        this.eps = eps;
        this.variant = variant;
        this.feedForward = feedForward;
        mask = slotMask == null ? null : slotMask.expandDims(1).expandDims(3);
    }

    /**
     * Iterates; what an iteration makes on its way is freed before the next one starts.
     *
     * @param seen where the attention (B, K, N) of each iteration goes; null for nowhere
     * @return slots (B, K, D), and the attention (B, K, N) that led to them
     */
    NDList repeat(NDArray conditioning, int times, @Nullable NDList seen) {
        NDArray slots = conditioning;
        for (int t = 1; t < times; t++) {
            NDArray before = slots;
            try (Scope scope = new Scope()) {
                NDArray a = attend(before);
                if (seen != null) {
                    seen.add(scope.keep(a.mean(new int[] {1})));
                }
                slots = scope.keep(update(before, a));
            }
            closeUnless(conditioning, before);
        }
        try (Scope scope = new Scope()) {
            NDArray a = attend(slots);
            NDArray next = scope.keep(update(slots, a));
            NDArray attention = scope.keep(a.mean(new int[] {1}));
            if (seen != null) {
                seen.add(attention);
            }
            closeUnless(conditioning, slots);
            return new NDList(next, attention);
        }
    }

    private static void closeUnless(NDArray conditioning, NDArray slots) {
        if (slots != conditioning) {
            slots.close();
        }
    }

    /** a (B, H, K, N) for slots s (B, K, D). */
    private NDArray attend(NDArray slots) {
        // q = Wq LayerNorm(s) / sqrt(C / H)
        NDArray s = layers.slotNorm().apply(pass, slots);
        NDArray q = layers.query().apply(pass, s).mul(Scalars.like(s, scale));
        // a = softmax over slots and heads of q . k
        NDArray logits = features.dot(q); // (B, H, K, N)
        return SlotShares.of(logits, mask, this::softmax);
    }

    private NDArray softmax(NDArray logits) {
        if (variant.softmaxOver() == SoftmaxOver.FEATURES) {
            return logits.softmax(3);
        }
        return logits.flatten(1, 2).softmax(1).reshape(logits.getShape());
    }

    /** The next slots (B, K, D) for slots s (B, K, D) and attention a (B, H, K, N). */
    private NDArray update(NDArray s, NDArray a) {
        // u = sum of w v with w = (a + eps) / sum of (a + eps); the division is left to the slots
        long n = a.getShape().get(3);
        NDArray total = a.sum(new int[] {3}, true).add(Scalars.like(a, n * eps)); // (B, H, K, 1)
        NDArray u = features.weightedSum(a, total); // (B, H, K, C/H)
        if (variant.aggregation() == Aggregation.WEIGHTED_MEAN) {
            u = u.div(SlotShares.divisor(total, eps));
        }
        u = u.swapAxes(1, 2).reshape(s.getShape().get(0), s.getShape().get(1), layers.kvqDim());
        u = layers.updateNorm().apply(pass, u);
        GruCell gru = layers.gru();
        return feedForward.apply(gru == null ? u : gru.step(pass, u, s));
    }
}
