package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.MapRows;

/** What {@link SlotAttention} has learnt, as {@link SlotAttentionLoops} read it. */
final class SlotAttentionMaps {

    final int featureDim; // F
    final int dim; // D
    final int kvqDim; // C
    final float[] inputGain; // F
    final float[] inputOffset;
    final float[] slotGain; // D
    final float[] slotOffset;
    final float[][] query; // (D)(C)
    final float[][] key; // (C)(F): of queries, to what they ask of features
    final float[][] value; // (F)(C)
    final SlotUpdateMaps update;
    private final MapRows rows;

    SlotAttentionMaps(int featureDim, int dim, int kvqDim, int hidden) {
        this.featureDim = featureDim;
        this.dim = dim;
        this.kvqDim = kvqDim;
        inputGain = new float[featureDim];
        inputOffset = new float[featureDim];
        slotGain = new float[dim];
        slotOffset = new float[dim];
        query = MapRows.of(dim, kvqDim);
        key = MapRows.of(kvqDim, featureDim);
        value = MapRows.of(featureDim, kvqDim);
        update = new SlotUpdateMaps(kvqDim, dim, hidden);
        rows = new MapRows(kvqDim, Math.max(featureDim, dim));
    }

    /**
     * Reads all.
     *
     * @param norms gain and offset of the features' normalisation and of the slots'
     * @param q (C, D)
     * @param k (C, F)
     * @param v (C, F)
     * @param gru as for {@link SlotUpdateMaps#read}
     * @param fed as there
     */
    void read(NDList norms, NDArray q, NDArray k, NDArray v, NDList gru, NDList fed) {
        ArrayMemory.read(norms.get(0), inputGain);
        ArrayMemory.read(norms.get(1), inputOffset);
        ArrayMemory.read(norms.get(2), slotGain);
        ArrayMemory.read(norms.get(3), slotOffset);
        rows.turn(q, query, dim, kvqDim);
        ArrayMemory.read(k, key, kvqDim);
        rows.turn(v, value, featureDim, kvqDim);
        update.read(gru, fed);
    }
}
