package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;

/** What {@link SlotMixtureGrouping} learns. */
record SlotMixtureLayers(
        LayerNorm inputNorm, // F
        Linear projection, // F to C, no bias
        GruCell gru) { // C to C

    /** Declares it. */
    static SlotMixtureLayers of(Declarer parameters, int featureDim, int size) {
        return new SlotMixtureLayers(
                LayerNorm.of(parameters.under("norm_input"), featureDim),
                Linear.of(parameters.under("project_input"), featureDim, size, false),
                new GruCell(parameters.under("gru"), size, size));
    }

    /** x = W LayerNorm(features), (B, N, C). */
    NDArray project(Pass pass, NDArray features) {
        return projection.apply(pass, inputNorm.apply(pass, features));
    }
}
