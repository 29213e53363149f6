package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Ops;
import org.slotwise.layer.GruCell;

/** The values of {@link SlotMixtureGrouping}'s parameters on the device of the features. */
record SlotMixtureWeights(
        NDArray inputNormGain, // (F)
        NDArray inputNormOffset, // (F)
        NDArray projection, // (C, F)
        GruCell gru) { // of size C

    /** x = W LayerNorm(features), (B, N, C). */
    NDArray project(NDArray features) {
        NDArray normed = Ops.layerNorm(features, inputNormGain, inputNormOffset);
        return Ops.linear(normed, projection, null);
    }
}
