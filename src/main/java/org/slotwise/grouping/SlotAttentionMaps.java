package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;

/**
 * What Slot Attention has learnt, laid for {@link ColumnProducts}: what a number is mapped to is a
 * row.
 */
final class SlotAttentionMaps {

    final int featureDim; // F
    final int dim; // D
    final int kvqDim; // C
    final int hidden; // of the perceptron; 0 for none

    final float[] inputGain; // F
    final float[] inputOffset;
    final float[] slotGain; // D
    final float[] slotOffset;
    final float[][] query; // (D)(C)
    final float[][] key; // (C)(F): of queries, to what they ask of features
    final float[][] value; // (F)(C)
    final float[][] ofInput; // (C)(3 D)
    final float[][] ofState; // (D)(3 D)
    final float[] inputBias; // 3 D
    final float[] stateBias;
    final float[] fedGain; // D
    final float[] fedOffset;
    final float[][] first; // (D)(hidden)
    final float[] firstBias;
    final float[][] second; // (hidden)(D)
    final float[] secondBias;
    private final float[][] rows; // of a map that is being laid

    SlotAttentionMaps(int featureDim, int dim, int kvqDim, int hidden) {
        this.featureDim = featureDim;
        this.dim = dim;
        this.kvqDim = kvqDim;
        this.hidden = hidden;
        inputGain = new float[featureDim];
        inputOffset = new float[featureDim];
        slotGain = new float[dim];
        slotOffset = new float[dim];
        query = map(dim, kvqDim);
        key = map(kvqDim, featureDim);
        value = map(featureDim, kvqDim);
        ofInput = map(kvqDim, 3 * dim);
        ofState = map(dim, 3 * dim);
        inputBias = new float[3 * dim];
        stateBias = new float[3 * dim];
        fedGain = new float[dim];
        fedOffset = new float[dim];
        first = map(dim, hidden);
        firstBias = new float[hidden];
        second = map(hidden, dim);
        secondBias = new float[dim];
        int most = Math.max(Math.max(featureDim, kvqDim), Math.max(dim, hidden));
        rows = new float[Math.max(most, 3 * dim)][most];
    }

    /** Rows, of which there is an even number: the last may be zeros. */
    private static float[][] map(int rows, int size) {
        return new float[ColumnProducts.width(rows)][size];
    }

    /**
     * Reads all.
     *
     * @param values gain and offset of the features' normalisation and of the slots', weights of
     *     queries, keys and values, the unit's of inputs and of states and their biases, and where
     *     there is a perceptron gain, offset, and weights and biases of its two maps
     */
    void read(List<NDArray> values) {
        read(values.get(0), inputGain);
        read(values.get(1), inputOffset);
        read(values.get(2), slotGain);
        read(values.get(3), slotOffset);
        turn(values.get(4), query, dim, kvqDim);
        ArrayMemory.read(values.get(5), key, kvqDim);
        turn(values.get(6), value, featureDim, kvqDim);
        turn(values.get(7), ofInput, kvqDim, 3 * dim);
        turn(values.get(8), ofState, dim, 3 * dim);
        read(values.get(9), inputBias);
        read(values.get(10), stateBias);
        if (hidden > 0) {
            read(values.get(11), fedGain);
            read(values.get(12), fedOffset);
            turn(values.get(13), first, dim, hidden);
            read(values.get(14), firstBias);
            turn(values.get(15), second, hidden, dim);
            read(values.get(16), secondBias);
        }
    }

    private static void read(NDArray value, float[] numbers) {
        ArrayMemory.floats(value).get(numbers);
    }

    /** A map as the engine has it, (out)(in). */
    private void turn(NDArray value, float[][] map, int in, int out) {
        var numbers = ArrayMemory.floats(value);
        for (int i = 0; i < out; i++) {
            numbers.get(rows[i], 0, in);
        }
        VectorLoops.transpose(rows, map, out, in);
    }
}
