package org.slotwise.grouping;

import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.layer.GruCell;

/** The values of Slot Attention's parameters on the device of the features, and their size. */
record SlotAttentionWeights(
        int kvqDim, // C
        Affine query, // (C, D), (C)
        Affine key, // (C, F), (C)
        Affine value, // (C, F), (C)
        @Nullable GruCell gru,
        Affine inputNorm, // (F), (F)
        Affine slotNorm, // (D), (D)
        Affine updateNorm, // (C), (C)
        double normEps) {

    /** Of no parameters at all: slots and features of one size are compared as they are. */
    static SlotAttentionWeights none(int size) {
        Affine same = new Affine(null, null);
        return new SlotAttentionWeights(
                size, same, same, same, null, same, same, same, Ops.LAYER_NORM_EPS);
    }
}
