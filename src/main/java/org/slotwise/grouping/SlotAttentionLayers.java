package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.Part;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;

/**
 * What Slot Attention learns. What a variant leaves out is null, or gives back what it is given.
 */
record SlotAttentionLayers(
        int kvqDim, // C
        Layer query, // D to C
        @Nullable Linear key, // F to C
        @Nullable Linear value, // F to C
        @Nullable GruCell gru, // C to D
        Layer inputNorm, // F
        Layer slotNorm, // D
        Layer updateNorm) { // C

    /** Of no parameters at all: slots and features of one size are compared as they are. */
    static SlotAttentionLayers none(int size) {
        return new SlotAttentionLayers(
                size, Layer.NONE, null, null, null, Layer.NONE, Layer.NONE, Layer.NONE);
    }

    /** Declares what a block needs, under the reference's names and in its order. */
    static SlotAttentionLayers of(Declarer parameters, SlotAttention.Builder options) {
        SlotAttentionVariant variant = options.variant;
        int c = options.kvqDim();
        double eps = options.normEps;
        Linear query = projection(parameters.under("to_q"), options, options.dim);
        Linear key = projection(parameters.under("to_k"), options, options.featureDim);
        Linear value = projection(parameters.under("to_v"), options, options.featureDim);
        GruCell gru =
                variant.has(Part.GRU) ? new GruCell(parameters.under("gru"), c, options.dim) : null;
        boolean norms = variant.has(Part.LAYER_NORMS);
        boolean sums = variant.aggregation() == Aggregation.NORMALIZED_SUM;
        return new SlotAttentionLayers(
                c,
                query == null ? Layer.NONE : query,
                key,
                value,
                gru,
                norm(norms, parameters.under("norm_input"), options.featureDim, eps),
                norm(norms, parameters.under("norm_slots"), options.dim, eps),
                norm(sums, parameters.under("norm_updates"), c, eps));
    }

    private static @Nullable Linear projection(
            Declarer parameters, SlotAttention.Builder options, int in) {
        return options.variant.has(Part.PROJECTIONS)
                ? Linear.of(parameters, in, options.kvqDim(), options.projectionBias)
                : null;
    }

    private static Layer norm(boolean there, Declarer parameters, int size, double eps) {
        return there ? LayerNorm.of(parameters, size, eps) : Layer.NONE;
    }

    /** k of features x, (B, N, C). */
    NDArray keys(Pass pass, NDArray x) {
        return key == null ? x : key.apply(pass, x);
    }

    /** v of features x, (B, N, C). */
    NDArray values(Pass pass, NDArray x) {
        return value == null ? x : value.apply(pass, x);
    }
}
