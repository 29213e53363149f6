package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.MapRows;
import org.slotwise.internal.Pass;
import org.slotwise.internal.VectorLoops;
import org.slotwise.layer.FeedForward;

/**
 * What {@link InvariantSlotAttention} has learnt, as {@link InvariantSlotAttentionLoops} read it.
 */
final class InvariantSlotAttentionMaps {

    final int featureDim; // F
    final int dim; // D
    final int relativeDim; // R
    final int frequencies; // L
    final float[] slotGain; // D
    final float[] slotOffset;
    final float[][] query; // (D)(D)
    final float[][] look; // (D)(3): to the logarithm of a width, and a direction
    final float[] lookBias; // 3
    final float[][] straight; // (4 L)(R): of sines and cosines of places
    final float[][] turned; // (4 L)(R): of the same a quarter further
    final float[][] along; // (2)(R): of places themselves
    final float[][] update; // (F + 2 + R + 4)(D): of all that a slot has seen, to its update
    final float[] updateBias; // D
    final SlotUpdateMaps next;
    private final float[][] value; // (F)(D)
    private final float[][] output; // (R)(D)
    private final float[][] displacement; // (4)(D)
    private final float[][] positions; // (R)(2 + 4 L)
    private final MapRows rows;

    InvariantSlotAttentionMaps(
            int featureDim, int dim, int relativeDim, int frequencies, int hidden) {
        this.featureDim = featureDim;
        this.dim = dim;
        this.relativeDim = relativeDim;
        this.frequencies = frequencies;
        slotGain = new float[dim];
        slotOffset = new float[dim];
        query = MapRows.of(dim, dim);
        look = MapRows.of(dim, 3);
        lookBias = new float[3];
        straight = new float[4 * frequencies][relativeDim];
        turned = new float[4 * frequencies][relativeDim];
        along = new float[2][relativeDim];
        update = MapRows.of(featureDim + relativeDim + 6, dim);
        updateBias = new float[dim];
        next = new SlotUpdateMaps(dim, dim, hidden);
        value = MapRows.of(featureDim, dim);
        output = MapRows.of(relativeDim, dim);
        displacement = MapRows.of(4, dim);
        positions = new float[relativeDim][2 + 4 * frequencies];
        rows = new MapRows(dim, Math.max(Math.max(featureDim, dim), Math.max(relativeDim, 4)));
    }

    /** Reads all. */
    void read(Pass pass, InvariantSlotAttentionLayers layers, @Nullable FeedForward feedForward) {
        NDList norm = layers.slotNorm().values(pass);
        ArrayMemory.read(norm.get(0), slotGain);
        ArrayMemory.read(norm.get(1), slotOffset);
        rows.turn(layers.query().weight(pass), query, dim, dim);
        look(pass, layers);
        relative(pass, layers);
        update(pass, layers);
        next.read(
                layers.gru().values(pass),
                feedForward == null ? new NDList() : feedForward.values(pass));
    }

    /** Half the inverse square of a width is the exponential of the first. */
    private void look(Pass pass, InvariantSlotAttentionLayers layers) {
        float logScale = ArrayMemory.numbers(pass.value(layers.logScale()))[0];
        float[] width = ArrayMemory.numbers(layers.scale().weight(pass));
        float[] direction = ArrayMemory.numbers(layers.direction().weight(pass)); // (2, D)
        for (int i = 0; i < dim; i++) {
            look[i][0] = width[i];
            look[i][1] = direction[i];
            look[i][2] = direction[dim + i];
        }
        float[] towards = ArrayMemory.numbers(bias(layers.direction().bias(pass)));
        float start = ArrayMemory.numbers(bias(layers.scale().bias(pass)))[0];
        lookBias[0] = (float) (start - 2.0 * logScale - Math.log(2));
        lookBias[1] = towards[0];
        lookBias[2] = towards[1];
    }

    /** The map of relative places: of numbers, then for each frequency of sines and of cosines. */
    private void relative(Pass pass, InvariantSlotAttentionLayers layers) {
        ArrayMemory.read(layers.relativePosition().weight(pass), positions, relativeDim);
        for (int r = 0; r < relativeDim; r++) {
            float[] of = positions[r];
            along[0][r] = 2 * of[0];
            along[1][r] = 2 * of[1];
            for (int m = 0; m < 4 * frequencies; m += 4) {
                for (int j = 0; j < 2; j++) {
                    float sine = of[2 + m + j];
                    float cosine = of[4 + m + j];
                    straight[m + j][r] = sine;
                    straight[m + 2 + j][r] = cosine;
                    turned[m + j][r] = cosine;
                    turned[m + 2 + j][r] = -sine;
                }
            }
        }
    }

    /** In the order: features, centre, relative features, place before, distances moved. */
    private void update(Pass pass, InvariantSlotAttentionLayers layers) {
        rows.turn(layers.value().weight(pass), value, featureDim, dim);
        rows.turn(layers.relativeOutput().weight(pass), output, relativeDim, dim);
        rows.turn(layers.displacement().weight(pass), displacement, 4, dim);
        int f = featureDim;
        int r = relativeDim;
        for (int i = 0; i < f; i++) {
            System.arraycopy(value[i], 0, update[i], 0, dim);
        }
        for (int i = 0; i < r; i++) {
            System.arraycopy(output[i], 0, update[f + 2 + i], 0, dim);
        }
        for (int j = 0; j < 2; j++) {
            System.arraycopy(displacement[j], 0, update[f + j], 0, dim);
            for (int i = 0; i < dim; i++) {
                update[f + 2 + r + j][i] = -displacement[j][i];
            }
            System.arraycopy(displacement[2 + j], 0, update[f + 4 + r + j], 0, dim);
        }
        ArrayMemory.read(bias(layers.relativeOutput().bias(pass)), updateBias);
        VectorLoops.add(updateBias, ArrayMemory.numbers(bias(layers.displacement().bias(pass))));
    }

    private static NDArray bias(@Nullable NDArray bias) {
        return Objects.requireNonNull(bias);
    }
}
