package org.slotwise.grouping;

import ai.djl.ndarray.NDList;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.MapRows;

/** What {@link SlotUpdate} computes with: the unit's maps, and the perceptron's if there is one. */
final class SlotUpdateMaps {

    final int size; // of an update, C
    final int dim; // D
    final int hidden; // of the perceptron; 0 for none
    final float[][] ofInput; // (C)(3 D)
    final float[][] ofState; // (D)(3 D)
    final float[] inputBias; // 3 D
    final float[] stateBias;
    final float[] gain; // D
    final float[] offset;
    final float[][] first; // (D)(hidden)
    final float[] firstBias;
    final float[][] second; // (hidden)(D)
    final float[] secondBias;
    private final MapRows rows;

    SlotUpdateMaps(int size, int dim, int hidden) {
        this.size = size;
        this.dim = dim;
        this.hidden = hidden;
        ofInput = MapRows.of(size, 3 * dim);
        ofState = MapRows.of(dim, 3 * dim);
        inputBias = new float[3 * dim];
        stateBias = new float[3 * dim];
        gain = new float[dim];
        offset = new float[dim];
        first = MapRows.of(dim, hidden);
        firstBias = new float[hidden];
        second = MapRows.of(hidden, dim);
        secondBias = new float[dim];
        rows = new MapRows(Math.max(3 * dim, hidden), Math.max(Math.max(size, dim), hidden));
    }

    /**
     * Reads all.
     *
     * @param gru weights of inputs (3 D, C) and of states (3 D, D), and their biases
     * @param fed gain, offset, W1, b1, W2, b2; empty without a perceptron
     */
    void read(NDList gru, NDList fed) {
        rows.turn(gru.get(0), ofInput, size, 3 * dim);
        rows.turn(gru.get(1), ofState, dim, 3 * dim);
        ArrayMemory.read(gru.get(2), inputBias);
        ArrayMemory.read(gru.get(3), stateBias);
        if (hidden > 0) {
            ArrayMemory.read(fed.get(0), gain);
            ArrayMemory.read(fed.get(1), offset);
            rows.turn(fed.get(2), first, dim, hidden);
            ArrayMemory.read(fed.get(3), firstBias);
            rows.turn(fed.get(4), second, hidden, dim);
            ArrayMemory.read(fed.get(5), secondBias);
        }
    }
}
