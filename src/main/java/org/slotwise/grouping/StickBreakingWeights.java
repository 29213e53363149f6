package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/** The values of {@link StickBreakingGrouping}'s parameters on the device of the features. */
record StickBreakingWeights(
        NDArray kernelLogVar, // ()
        @Nullable NDArray normGain, // (F)
        @Nullable NDArray normOffset, // (F)
        NDArray inWeight, // (F, F)
        NDArray inBias, // (F)
        NDArray outWeight, // (D, F)
        NDArray outBias) { // (D)

    /** in_proj(x), (B, N, F). */
    NDArray projectIn(NDArray x) {
        try (Scope scope = new Scope()) {
            NDArray normed =
                    normGain == null || normOffset == null
                            ? x
                            : Ops.layerNorm(x, normGain, normOffset);
            return scope.keep(Ops.linear(normed, inWeight, inBias));
        }
    }

    /** out_proj(x), (B, K, D), for x (B, K, F). */
    NDArray projectOut(NDArray x) {
        return Ops.linear(x, outWeight, outBias);
    }
}
