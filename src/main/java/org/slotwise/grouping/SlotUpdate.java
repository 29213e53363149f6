package org.slotwise.grouping;

import java.util.Arrays;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.DoubleLoops;
import org.slotwise.internal.VectorLoops;

/**
 * How the slots of an image are updated, in loops of Java's own: {@link
 * org.slotwise.layer.GruCell}, then {@link org.slotwise.layer.FeedForward}. Exponentials and means
 * are computed in float64. With arrays of its own: for one thread.
 */
final class SlotUpdate {

    private final int k;
    private final double eps;
    private final float[][] normed; // (K)(D)
    private final float[][] input; // (K)(3 D)
    private final float[][] state; // (K)(3 D)
    private final double[] gates; // 2 D
    private final float[][] hidden; // (K)(hidden)

    /**
     * Makes room.
     *
     * @param maps of the sizes of those that will be used
     * @param k the number of slots
     * @param eps of the perceptron's normalisation
     */
    SlotUpdate(SlotUpdateMaps maps, int k, double eps) {
        this.k = k;
        this.eps = eps;
        normed = rows(k, maps.dim);
        input = rows(k, 3 * maps.dim);
        state = rows(k, 3 * maps.dim);
        gates = new double[2 * maps.dim];
        hidden = rows(k, maps.hidden);
    }

    /** For each slot so many numbers, and a zero where it takes one to an even number. */
    static float[][] rows(int k, int size) {
        return new float[k][ColumnProducts.width(size)];
    }

    /** y = x A, where x has a row for each slot, and A one for each of its elements. */
    static void product(float[][] x, float[][] a, float[][] y) {
        int to = a[0].length;
        for (float[] row : y) {
            Arrays.fill(row, 0, to, 0);
        }
        ColumnProducts.add(a, y, x, x.length, 0, to);
    }

    /** {@link org.slotwise.layer.LayerNorm} of each row. */
    static void norm(float[][] x, float[][] y, float[] gain, float[] offset, double eps) {
        int d = gain.length;
        for (int i = 0; i < x.length; i++) {
            float[] from = x[i];
            double mean = VectorLoops.sum(from, d) / d;
            double squares = 0;
            for (int j = 0; j < d; j++) {
                double off = from[j] - mean;
                squares += off * off;
            }
            double by = 1 / Math.sqrt(squares / d + eps);
            for (int j = 0; j < d; j++) {
                y[i][j] = (float) ((from[j] - mean) * by) * gain[j] + offset[j];
            }
        }
    }

    /**
     * Updates slots.
     *
     * @param maps what was learnt
     * @param updates (K)(C)
     * @param slots (K)(D), overwritten
     */
    void take(SlotUpdateMaps maps, float[][] updates, float[][] slots) {
        product(updates, maps.ofInput, input);
        product(slots, maps.ofState, state);
        for (int i = 0; i < k; i++) {
            recur(maps, input[i], state[i], slots[i]);
        }
        if (maps.hidden > 0) {
            feed(maps, slots);
        }
    }

    private void recur(SlotUpdateMaps maps, float[] u, float[] h, float[] s) {
        int d = maps.dim;
        for (int j = 0; j < 2 * d; j++) {
            gates[j] = -(u[j] + maps.inputBias[j] + h[j] + maps.stateBias[j]);
        }
        DoubleLoops.exponentials(gates, 2 * d);
        for (int j = 0; j < 2 * d; j++) {
            gates[j] = 1 / (1 + gates[j]);
        }
        for (int j = 0; j < d; j++) {
            int l = 2 * d + j;
            double by = gates[j] * (h[l] + maps.stateBias[l]);
            gates[j] = 2 * (u[l] + maps.inputBias[l] + by);
        }
        DoubleLoops.exponentials(gates, d);
        for (int j = 0; j < d; j++) {
            double fresh = 1 - 2 / (gates[j] + 1); // the hyperbolic tangent
            s[j] = (float) (fresh + gates[d + j] * (s[j] - fresh));
        }
    }

    private void feed(SlotUpdateMaps maps, float[][] slots) {
        norm(slots, normed, maps.gain, maps.offset, eps);
        product(normed, maps.first, hidden);
        for (float[] h : hidden) {
            for (int j = 0; j < maps.hidden; j++) {
                h[j] = Math.max(0, h[j] + maps.firstBias[j]);
            }
        }
        product(hidden, maps.second, normed);
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < maps.dim; j++) {
                slots[i][j] += normed[i][j] + maps.secondBias[j];
            }
        }
    }
}
