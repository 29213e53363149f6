package org.slotwise.grouping;

import ai.djl.ndarray.NDList;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;

/**
 * The iterations of {@link InvariantSlotAttention} for one image after the other ({@link
 * InvariantSlotAttentionLoops}), in the order of {@link InvariantSlotAttentionInference}, with
 * arrays of its own: for one thread. Places are from -1 to 1.
 */
final class InvariantSlotAttentionImage {

    private final int n;
    private final int k;
    private final int f;
    private final int r;
    private final double eps;
    private final double slotEps;
    private final RelativeSums relative;
    private final float[][] keys; // (D)(N)
    private final float[][] features; // (N)(F)
    private final float[][] near; // (N)(R)
    private final float[][] logits; // (K)(N), then the weights
    private final SlotCompetition competition;
    private final double[] total; // K
    private final float[][] slots; // (K)(D)
    private final float[][] places; // (K)(2)
    private final float[][] normed; // (K)(D)
    private final float[][] queries; // (K)(D)
    private final float[][] looks; // (K)(3)
    private final float[][] seen; // (K)(F + 2 + R + 4)
    private final float[][] updates; // (K)(D)
    private final SlotUpdate update;

    /** What the images of a call have, in order, and what is written of each. */
    static final class Images {
        final FloatBuffer keys; // (B, D, N)
        final FloatBuffer features; // (B, N, F)
        final FloatBuffer near; // (B, N, R)
        final float[] positions; // (N, 2), from 0 to 1
        final float @Nullable [] guess; // (B, K, N)
        final boolean @Nullable [] isEmpty; // (B, K)
        final float[] slots; // (B, K, D), overwritten
        final float[] slotPositions; // (B, K, 2), overwritten
        final float[] attention; // (B, K, N), written

        Images(
                NDList laid,
                float[] positions,
                float @Nullable [] guess,
                boolean @Nullable [] isEmpty,
                float[] slots,
                float[] slotPositions,
                float[] attention) {
            keys = ArrayMemory.floats(laid.get(0));
            features = ArrayMemory.floats(laid.get(1));
            near = ArrayMemory.floats(laid.get(2));
            this.positions = positions;
            this.guess = guess;
            this.isEmpty = isEmpty;
            this.slots = slots;
            this.slotPositions = slotPositions;
            this.attention = attention;
        }
    }

    /**
     * Makes room.
     *
     * @param maps of the sizes of those that will be used
     * @param n the number of features
     * @param k the number of slots
     * @param eps what is added to weights
     * @param slotEps of the slots' normalisation
     * @param fedEps of the perceptron's
     */
    InvariantSlotAttentionImage(
            InvariantSlotAttentionMaps maps,
            int n,
            int k,
            double eps,
            double slotEps,
            double fedEps) {
        this.n = n;
        this.k = k;
        this.eps = eps;
        this.slotEps = slotEps;
        f = maps.featureDim;
        r = maps.relativeDim;
        relative = new RelativeSums(n, maps.frequencies, r);
        keys = new float[ColumnProducts.width(maps.dim)][n];
        features = new float[ColumnProducts.width(n)][f];
        near = new float[n][r];
        logits = SlotUpdate.rows(k, n);
        competition = new SlotCompetition(k, n);
        total = new double[k];
        slots = SlotUpdate.rows(k, maps.dim);
        places = new float[k][2];
        normed = SlotUpdate.rows(k, maps.dim);
        queries = SlotUpdate.rows(k, maps.dim);
        looks = new float[k][3];
        seen = SlotUpdate.rows(k, f + r + 6);
        updates = SlotUpdate.rows(k, maps.dim);
        update = new SlotUpdate(maps.next, k, fedEps);
    }

    /** Whether images of so many features are grouped into so many slots. */
    boolean isOf(int n, int k) {
        return this.n == n && this.k == k;
    }

    /** Takes all steps for an image. */
    void iterate(InvariantSlotAttentionMaps maps, Images all, int image, int times) {
        int d = maps.dim;
        relative.place(all.positions, maps.frequencies);
        float[] x = relative.x;
        float[] y = relative.y;
        read(all.keys.duplicate().position(image * d * n), keys, d);
        read(all.features.duplicate().position(image * n * f), features, n);
        read(all.near.duplicate().position(image * n * r), near, n);
        for (int j = 0; j < n; j++) {
            VectorLoops.addScaled(near[j], maps.along[0], maps.along[1], x[j], y[j], 0, r);
        }
        boolean[] isEmpty =
                all.isEmpty == null
                        ? null
                        : Arrays.copyOfRange(all.isEmpty, image * k, (image + 1) * k);
        for (int i = 0; i < k; i++) {
            System.arraycopy(all.slots, (image * k + i) * d, slots[i], 0, d);
            places[i][0] = 2 * all.slotPositions[(image * k + i) * 2] - 1;
            places[i][1] = 2 * all.slotPositions[(image * k + i) * 2 + 1] - 1;
        }
        for (int t = 0; t < times; t++) {
            float[] guess = t == 0 ? all.guess : null;
            if (guess != null) {
                competition.take(guess, image * k * n);
            } else {
                attend(maps, isEmpty);
            }
            weigh(guess != null);
            for (int i = 0; i < k; i++) {
                look(maps, i);
            }
            SlotUpdate.product(seen, maps.update, updates);
            for (int i = 0; i < k; i++) {
                VectorLoops.add(updates[i], maps.updateBias, d);
            }
            update.take(maps.next, updates, slots);
            for (int i = 0; i < k; i++) {
                places[i][0] = seen[i][f];
                places[i][1] = seen[i][f + 1];
            }
        }
        competition.write(all.attention, image * k * n);
        for (int i = 0; i < k; i++) {
            System.arraycopy(slots[i], 0, all.slots, (image * k + i) * d, d);
            all.slotPositions[(image * k + i) * 2] = (places[i][0] + 1) / 2;
            all.slotPositions[(image * k + i) * 2 + 1] = (places[i][1] + 1) / 2;
        }
    }

    private static void read(FloatBuffer numbers, float[][] rows, int count) {
        for (int i = 0; i < count; i++) {
            numbers.get(rows[i]);
        }
    }

    /** The softmax over slots of q . k, nearness and side. */
    private void attend(InvariantSlotAttentionMaps maps, boolean @Nullable [] isEmpty) {
        SlotUpdate.norm(slots, normed, maps.slotGain, maps.slotOffset, slotEps);
        SlotUpdate.product(normed, maps.query, queries);
        SlotUpdate.product(normed, maps.look, looks);
        float scale = (float) (1 / Math.sqrt((double) maps.dim));
        for (int i = 0; i < k; i++) {
            VectorLoops.scale(queries[i], scale, maps.dim);
            float narrow = (float) Math.exp(looks[i][0] + maps.lookBias[0]);
            VectorLoops.parabolas(
                    logits[i],
                    relative.x,
                    relative.y,
                    places[i][0],
                    looks[i][1] + maps.lookBias[1],
                    narrow,
                    places[i][1],
                    looks[i][2] + maps.lookBias[2],
                    n);
        }
        ColumnProducts.add(keys, logits, queries, k, 0, n);
        competition.share(logits, isEmpty);
    }

    /** The weighted means of features and places. */
    private void weigh(boolean guessed) {
        float[] x = relative.x;
        float[] y = relative.y;
        competition.weigh((float) eps, logits, total);
        competition.normalize(logits, total);
        for (int i = 0; i < k; i++) {
            boolean nothing = total[i] == 0;
            Arrays.fill(seen[i], 0, f, 0);
            double cx = 0;
            double cy = 0;
            for (int j = 0; j < n; j++) {
                cx += logits[i][j] * (double) x[j];
                cy += logits[i][j] * (double) y[j];
            }
            seen[i][f] = (float) (nothing ? -1 : cx); // (0, 0) of the image
            seen[i][f + 1] = (float) (nothing ? -1 : cy);
            if (guessed) {
                places[i][0] = seen[i][f];
                places[i][1] = seen[i][f + 1];
            }
        }
        ColumnProducts.add(features, seen, logits, k, 0, f);
    }

    /** What a slot sees of relative places, and how it moved. */
    private void look(InvariantSlotAttentionMaps maps, int slot) {
        float[] z = seen[slot];
        float cx = z[f];
        float cy = z[f + 1];
        relative.write(maps, near, logits[slot], cx, cy, z, f + 2);
        z[f + 2 + r] = places[slot][0];
        z[f + 3 + r] = places[slot][1];
        z[f + 4 + r] = Math.abs(cx - places[slot][0]);
        z[f + 5 + r] = Math.abs(cy - places[slot][1]);
    }
}
