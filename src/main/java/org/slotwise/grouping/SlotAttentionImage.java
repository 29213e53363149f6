package org.slotwise.grouping;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;

/**
 * The iterations of Slot Attention for one image after the other ({@link SlotAttentionLoops}), with
 * arrays of its own: for one thread.
 */
final class SlotAttentionImage {

    /** Features whose weighted sum is taken before it is added to others: sums stay small. */
    private static final int BLOCK = 128;

    private final Settings settings;
    private SlotAttentionMaps maps; // of the call
    private final int n;
    private final int k;
    private final float[][] rows; // the features, (N)(F)
    private final float[][] columns; // (F)(N)
    private final float[][] logits; // (K)(N), then the weights
    private final double[][] shares; // (K)(N)
    private final float[] mean; // of each feature, N
    private final float[] by; // what they are multiplied by, N
    private final float[] highest; // N
    private final double[] sum; // N
    private final double[] total; // K
    private final float[][] slots; // (K)(D)
    private final float[][] normed; // (K)(D)
    private final float[][] queries; // (K)(C)
    private final float[][] asked; // (K)(F)
    private final float[][] part; // (K)(F)
    private final float[][] means; // (K)(F)
    private final float[][] updates; // (K)(C)
    private final float[][] input; // (K)(3 D)
    private final float[][] state; // (K)(3 D)
    private final double[] gates; // 2 D
    private final float[][] hidden; // (K)(hidden)

    /** The numbers of a module that are not learnt. */
    record Settings(
            int times, double eps, double scale, double inputEps, double slotEps, double fedEps) {}

    SlotAttentionImage(SlotAttentionMaps maps, int n, int k, Settings settings) {
        this.maps = maps;
        this.settings = settings;
        this.n = n;
        this.k = k;
        int f = maps.featureDim;
        rows = new float[ColumnProducts.width(n)][f];
        columns = new float[ColumnProducts.width(f)][n];
        logits = of(n);
        shares = new double[k][n];
        mean = new float[n];
        by = new float[n];
        highest = new float[n];
        sum = new double[n];
        total = new double[k];
        slots = of(maps.dim);
        normed = of(maps.dim);
        queries = of(maps.kvqDim);
        asked = of(f);
        part = of(f);
        means = of(f);
        updates = of(maps.kvqDim);
        input = of(3 * maps.dim);
        state = of(3 * maps.dim);
        gates = new double[2 * maps.dim];
        hidden = of(maps.hidden);
    }

    /** For each slot so many numbers, and a zero where it takes one to an even number. */
    private float[][] of(int size) {
        return new float[k][ColumnProducts.width(size)];
    }

    /** Whether images of so many features are grouped into so many slots. */
    boolean isOf(int n, int k) {
        return this.n == n && this.k == k;
    }

    /**
     * Takes all steps for an image.
     *
     * @param maps of the sizes of those that the arrays were made for
     * @param features (B, N, F)
     * @param image which
     * @param allSlots (B, K, D), overwritten for the image
     * @param attention (B, K, N), written for the image
     */
    void iterate(
            SlotAttentionMaps maps,
            FloatBuffer features,
            int image,
            float[] allSlots,
            float[] attention) {
        this.maps = maps;
        int f = maps.featureDim;
        int d = maps.dim;
        features.position(image * n * f);
        for (int i = 0; i < n; i++) {
            features.get(rows[i]);
        }
        normalize();
        for (int i = 0; i < k; i++) {
            System.arraycopy(allSlots, (image * k + i) * d, slots[i], 0, d);
        }
        for (int t = 0; t < settings.times; t++) {
            attend();
            if (t == settings.times - 1) {
                write(attention, image * k * n);
            }
            weigh();
            update();
            feed();
        }
        for (int i = 0; i < k; i++) {
            System.arraycopy(slots[i], 0, allSlots, (image * k + i) * d, d);
        }
    }

    /** Features by their own means and variances, in rows and in columns. */
    private void normalize() {
        int f = maps.featureDim;
        VectorLoops.transpose(rows, columns, n, f);
        Arrays.fill(mean, 0);
        Arrays.fill(by, 0);
        for (int i = 0; i < f; i++) {
            VectorLoops.add(mean, columns[i]);
        }
        VectorLoops.scale(mean, 1f / f, n);
        for (int i = 0; i < f; i++) {
            VectorLoops.addSquaredDifferences(by, columns[i], mean, n);
        }
        for (int i = 0; i < n; i++) {
            by[i] = (float) (1 / Math.sqrt(by[i] / f + settings.inputEps));
        }
        for (int i = 0; i < f; i++) {
            VectorLoops.standardize(
                    columns[i], mean, by, maps.inputGain[i], maps.inputOffset[i], n);
        }
        for (int i = 0; i < n; i++) {
            VectorLoops.standardize(rows[i], mean[i], by[i], maps.inputGain, maps.inputOffset, f);
        }
    }

    private void write(float[] attention, int first) {
        for (int i = 0; i < k; i++) {
            for (int j = 0; j < n; j++) {
                attention[first + i * n + j] = (float) shares[i][j];
            }
        }
    }

    /** The softmax over slots of q . k. */
    private void attend() {
        norm(slots, normed, maps.slotGain, maps.slotOffset, settings.slotEps);
        product(normed, maps.query, queries);
        for (float[] q : queries) {
            for (int c = 0; c < maps.kvqDim; c++) {
                q[c] *= (float) settings.scale;
            }
        }
        product(queries, maps.key, asked);
        product(asked, columns, logits);
        System.arraycopy(logits[0], 0, highest, 0, n);
        for (int i = 1; i < k; i++) {
            VectorLoops.raise(highest, logits[i], 0, n);
        }
        Arrays.fill(sum, 0);
        for (int i = 0; i < k; i++) {
            double[] e = shares[i];
            float[] l = logits[i];
            for (int j = 0; j < n; j++) {
                e[j] = l[j] - highest[j];
            }
            VectorLoops.exponentials(e, n);
            VectorLoops.add(sum, e, n);
        }
        VectorLoops.invert(sum, n);
        for (int i = 0; i < k; i++) {
            VectorLoops.multiply(shares[i], sum, n);
        }
    }

    /** The weighted means of the features, as values. */
    private void weigh() {
        float eps = (float) settings.eps;
        for (int i = 0; i < k; i++) {
            float[] w = logits[i];
            double[] a = shares[i];
            for (int j = 0; j < n; j++) {
                w[j] = (float) a[j] + eps;
            }
            total[i] = VectorLoops.sum(w, n);
            Arrays.fill(means[i], 0);
        }
        for (int from = 0; from < rows.length; from += BLOCK) {
            for (float[] p : part) {
                Arrays.fill(p, 0);
            }
            int to = Math.min(rows.length, from + BLOCK);
            ColumnProducts.add(rows, from, to, part, logits, k, 0, maps.featureDim);
            for (int i = 0; i < k; i++) {
                VectorLoops.add(means[i], part[i]);
            }
        }
        product(means, maps.value, updates);
        for (int i = 0; i < k; i++) {
            float by = (float) (total[i] == 0 ? 1 : total[i]); // a slot that receives nothing
            for (int c = 0; c < maps.kvqDim; c++) {
                updates[i][c] /= by;
            }
        }
    }

    /** The gated recurrent unit. */
    private void update() {
        int d = maps.dim;
        product(updates, maps.ofInput, input);
        product(slots, maps.ofState, state);
        for (int i = 0; i < k; i++) {
            float[] u = input[i];
            float[] h = state[i];
            float[] s = slots[i];
            for (int j = 0; j < 2 * d; j++) {
                gates[j] = -(u[j] + maps.inputBias[j] + h[j] + maps.stateBias[j]);
            }
            VectorLoops.exponentials(gates, 2 * d);
            for (int j = 0; j < 2 * d; j++) {
                gates[j] = 1 / (1 + gates[j]);
            }
            for (int j = 0; j < d; j++) {
                int l = 2 * d + j;
                double by = gates[j] * (h[l] + maps.stateBias[l]);
                gates[j] = 2 * (u[l] + maps.inputBias[l] + by);
            }
            VectorLoops.exponentials(gates, d);
            for (int j = 0; j < d; j++) {
                double z = gates[d + j];
                double fresh = 1 - 2 / (gates[j] + 1); // the tangent's
                s[j] = (float) (fresh + z * (s[j] - fresh));
            }
        }
    }

    /** The perceptron beside the slots, if there is one. */
    private void feed() {
        if (maps.hidden == 0) {
            return;
        }
        norm(slots, normed, maps.fedGain, maps.fedOffset, settings.fedEps);
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

    private void norm(float[][] x, float[][] y, float[] gain, float[] offset, double eps) {
        int d = maps.dim;
        for (int i = 0; i < k; i++) {
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

    /** y = x A, where x has a row for each slot, and A a row for each of its elements. */
    private void product(float[][] x, float[][] a, float[][] y) {
        int to = a[0].length;
        for (float[] row : y) {
            Arrays.fill(row, 0, to, 0);
        }
        ColumnProducts.add(a, y, x, k, 0, to);
    }
}
