package org.slotwise.grouping;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.DoubleLoops;
import org.slotwise.internal.VectorLoops;

/**
 * The softmax over the slots of an image, in loops of Java's own and in float64. With arrays of its
 * own: for one thread.
 */
final class SlotCompetition {

    private static final double TINY = 1e-30;

    private final int n;
    private final double[][] shares; // (K)(N)
    private final float[] highest; // N
    private final double[] sum; // N

    SlotCompetition(int k, int n) {
        this.n = n;
        shares = new double[k][n];
        highest = new float[n];
        sum = new double[n];
    }

    /**
     * Shares features out.
     *
     * @param logits (K)(N)
     * @param isEmpty slots that get nothing; null for none
     */
    void share(float[][] logits, boolean @Nullable [] isEmpty) {
        Arrays.fill(highest, Float.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0);
        for (int i = 0; i < shares.length; i++) {
            if (isEmpty == null || !isEmpty[i]) {
                VectorLoops.raise(highest, logits[i], 0, n);
            }
        }
        for (int i = 0; i < shares.length; i++) {
            double[] e = shares[i];
            if (isEmpty != null && isEmpty[i]) {
                Arrays.fill(e, 0);
                continue;
            }
            float[] l = logits[i];
            for (int j = 0; j < n; j++) {
                e[j] = l[j] - highest[j];
            }
            DoubleLoops.exponentials(e, n);
            DoubleLoops.add(sum, e, n);
        }
        DoubleLoops.invert(sum, n);
        for (int i = 0; i < shares.length; i++) {
            if (isEmpty == null || !isEmpty[i]) {
                DoubleLoops.multiply(shares[i], sum, n);
            }
        }
    }

    /** Takes what is given instead: (B, K, N), from an index on. */
    void take(float[] all, int from) {
        for (int i = 0; i < shares.length; i++) {
            for (int j = 0; j < n; j++) {
                shares[i][j] = all[from + i * n + j];
            }
        }
    }

    /** Writes the shares as float32, from an index on. */
    void write(float[] to, int from) {
        for (int i = 0; i < shares.length; i++) {
            for (int j = 0; j < n; j++) {
                to[from + i * n + j] = (float) shares[i][j];
            }
        }
    }

    /**
     * The shares as weights.
     *
     * @param eps what is added to each
     * @param weights (K)(N)
     * @param totals the sum of the weights of each slot, (K)
     */
    void weigh(float eps, float[][] weights, double[] totals) {
        for (int i = 0; i < shares.length; i++) {
            float[] w = weights[i];
            double[] a = shares[i];
            for (int j = 0; j < n; j++) {
                w[j] = (float) a[j] + eps;
            }
            totals[i] = VectorLoops.sum(w, n);
        }
    }

    /**
     * Weights that sum to 1, but for slots without any.
     *
     * @param weights (K)(N), overwritten
     * @param totals their sums, (K)
     */
    void normalize(float[][] weights, double[] totals) {
        for (int i = 0; i < shares.length; i++) {
            float[] w = weights[i];
            double total = totals[i];
            if (total == 0) {
                continue;
            }
            if (Math.abs(total) < TINY) { // float32 does not hold its inverse
                for (int j = 0; j < n; j++) {
                    w[j] = (float) (w[j] / total);
                }
            } else {
                VectorLoops.scale(w, (float) (1 / total), n);
            }
        }
    }
}
