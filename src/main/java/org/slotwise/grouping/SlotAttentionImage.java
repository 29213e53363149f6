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
    private final int n;
    private final int k;
    private final float[][] rows; // the features, (N)(F)
    private final float[][] columns; // (F)(N)
    private final float[][] logits; // (K)(N), then the weights
    private final SlotCompetition competition;
    private final float[] mean; // of each feature, N
    private final float[] by; // what they are multiplied by, N
    private final double[] total; // K
    private final float[][] slots; // (K)(D)
    private final float[][] normed; // (K)(D)
    private final float[][] queries; // (K)(C)
    private final float[][] asked; // (K)(F)
    private final float[][] part; // (K)(F)
    private final float[][] means; // (K)(F)
    private final float[][] updates; // (K)(C)
    private final SlotUpdate update;

    /** The numbers of a module that are not learnt. */
    record Settings(double eps, double scale, double inputEps, double slotEps, double fedEps) {}

    /**
     * Makes room.
     *
     * @param maps of the sizes of those that will be used
     * @param n the number of features
     * @param k the number of slots
     * @param settings the module's
     */
    SlotAttentionImage(SlotAttentionMaps maps, int n, int k, Settings settings) {
        this.settings = settings;
        this.n = n;
        this.k = k;
        int f = maps.featureDim;
        rows = new float[ColumnProducts.width(n)][f];
        columns = new float[ColumnProducts.width(f)][n];
        logits = SlotUpdate.rows(k, n);
        competition = new SlotCompetition(k, n);
        mean = new float[n];
        by = new float[n];
        total = new double[k];
        slots = SlotUpdate.rows(k, maps.dim);
        normed = SlotUpdate.rows(k, maps.dim);
        queries = SlotUpdate.rows(k, maps.kvqDim);
        asked = SlotUpdate.rows(k, f);
        part = SlotUpdate.rows(k, f);
        means = SlotUpdate.rows(k, f);
        updates = SlotUpdate.rows(k, maps.kvqDim);
        update = new SlotUpdate(maps.update, k, settings.fedEps);
    }

    /** Whether images of so many features are grouped into so many slots. */
    boolean isOf(int n, int k) {
        return this.n == n && this.k == k;
    }

    /**
     * Takes steps for an image.
     *
     * @param maps what was learnt
     * @param features (B, N, F)
     * @param image which
     * @param times how many steps
     * @param allSlots (B, K, D), overwritten for the image
     * @param attention (B, K, N), written for the image
     */
    void iterate(
            SlotAttentionMaps maps,
            FloatBuffer features,
            int image,
            int times,
            float[] allSlots,
            float[] attention) {
        int d = maps.dim;
        features.position(image * n * maps.featureDim);
        for (int i = 0; i < n; i++) {
            features.get(rows[i]);
        }
        normalize(maps);
        for (int i = 0; i < k; i++) {
            System.arraycopy(allSlots, (image * k + i) * d, slots[i], 0, d);
        }
        for (int t = 0; t < times; t++) {
            attend(maps);
            weigh(maps);
            update.take(maps.update, updates, slots);
        }
        competition.write(attention, image * k * n);
        for (int i = 0; i < k; i++) {
            System.arraycopy(slots[i], 0, allSlots, (image * k + i) * d, d);
        }
    }

    /** Features by their own means and variances, in rows and in columns. */
    private void normalize(SlotAttentionMaps maps) {
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

    /** The softmax over slots of q . k. */
    private void attend(SlotAttentionMaps maps) {
        SlotUpdate.norm(slots, normed, maps.slotGain, maps.slotOffset, settings.slotEps);
        SlotUpdate.product(normed, maps.query, queries);
        for (float[] q : queries) {
            VectorLoops.scale(q, (float) settings.scale, maps.kvqDim);
        }
        SlotUpdate.product(queries, maps.key, asked);
        SlotUpdate.product(asked, columns, logits);
        competition.share(logits, null);
    }

    /** The weighted means of the features, as values. */
    private void weigh(SlotAttentionMaps maps) {
        competition.weigh((float) settings.eps, logits, total);
        for (float[] m : means) {
            Arrays.fill(m, 0);
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
        SlotUpdate.product(means, maps.value, updates);
        for (int i = 0; i < k; i++) {
            float by = (float) (total[i] == 0 ? 1 : total[i]); // a slot that receives nothing
            for (int c = 0; c < maps.kvqDim; c++) {
                updates[i][c] /= by;
            }
        }
    }
}
