package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Linear;

/**
 * The features themselves, with the projections moved to the slots' side, where there are K vectors
 * to project instead of N; keys and values are never made.
 *
 * <pre>{@code
 * q . (Wk x + bk)         = (Wkᵀ q) . x + q . bk
 * sum of w (Wv x + bv)    = Wv (sum of w x) + bv (sum of w)
 * }</pre>
 */
final class AbsorbedFeatures implements AttendedFeatures {

    private final int heads;
    private final NDArray features; // x: (B, N, F)
    private final NDArray epsTimesSum; // eps times the sum of x, (B, 1, F)
    private final @Nullable NDArray keyWeight; // (H, C/H, F), of one head (C, F)
    private final @Nullable NDArray valueWeight; // (H, F, C/H), of one head (F, C)
    private final @Nullable NDArray keyBias; // (H, C/H, 1), of one head (C, 1)
    private final @Nullable NDArray valueBias; // (H, 1, C/H)

    AbsorbedFeatures(Pass pass, SlotAttentionLayers layers, NDArray x, int heads, double eps) {
        this.heads = heads;
        features = x;
        epsTimesSum = x.sum(new int[] {1}, true).mul(Scalars.like(x, eps));
        long f = x.getShape().get(2);
        Linear key = layers.key();
        Linear value = layers.value();
        NDArray wk = key == null ? null : key.weight(pass);
        NDArray wv = value == null ? null : value.weight(pass);
        NDArray bk = key == null ? null : key.bias(pass);
        NDArray bv = value == null ? null : value.bias(pass);
        keyWeight = wk == null || heads == 1 ? wk : wk.reshape(heads, -1, f);
        valueWeight = wv == null ? null : valueWeight(wv.swapAxes(0, 1));
        keyBias = bk == null ? null : heads == 1 ? bk.expandDims(1) : bk.reshape(heads, -1, 1);
        valueBias = bv == null ? null : bv.reshape(heads, 1, -1);
    }

    /** (H, F, C/H), of one head (F, C), for Wv transposed (F, C). */
    private NDArray valueWeight(NDArray wv) {
        return heads == 1 ? wv : wv.reshape(wv.getShape().get(0), heads, -1).swapAxes(0, 1);
    }

    @Override
    public NDArray dot(NDArray q) {
        Shape s = q.getShape();
        long batch = s.get(0);
        long slots = s.get(1);
        NDArray absorbed = perHead(q, slots, keyWeight); // (B, H K, F)
        NDArray logits = Ops.dots(absorbed, features).reshape(batch, heads, slots, -1);
        if (keyBias == null) {
            return logits;
        }
        return logits.add(perHead(q, slots, keyBias).reshape(batch, heads, slots, 1));
    }

    @Override
    public NDArray weightedSum(NDArray a, NDArray total) {
        Shape s = a.getShape();
        long batch = s.get(0);
        long slots = s.get(2);
        // sum of (a + eps) x = sum of a x + eps times the sum of x
        NDArray sum = a.flatten(1, 2).matMul(features).add(epsTimesSum); // (B, H K, F)
        NDArray perSlot = heads == 1 ? sum : slotsFirst(sum, slots); // (B, K, H F)
        NDArray u = perHead(perSlot, slots, valueWeight).reshape(batch, heads, slots, -1);
        return valueBias == null ? u : u.add(valueBias.mul(total));
    }

    /**
     * Multiplies each head's part of each slot by the head's matrix.
     *
     * @param x (B, K, H X)
     * @param matrices (H, X, Y), of one head (X, Y); null for identities, of one head
     * @return (B, H K, Y)
     */
    private NDArray perHead(NDArray x, long slots, @Nullable NDArray matrices) {
        if (matrices == null) {
            return x;
        }
        if (heads == 1) {
            return x.matMul(matrices);
        }
        // One product for each head over the slots of all images: the matrices are not copied.
        long batch = x.getShape().get(0);
        NDArray rows = x.reshape(batch * slots, heads, -1).swapAxes(0, 1); // (H, B K, X)
        return rows.matMul(matrices)
                .reshape(heads, batch, slots, -1)
                .swapAxes(0, 1)
                .reshape(batch, heads * slots, -1);
    }

    /** (B, H K, X) to (B, K, H X). */
    private NDArray slotsFirst(NDArray x, long slots) {
        Shape s = x.getShape();
        return x.reshape(s.get(0), heads, slots, s.get(2))
                .swapAxes(1, 2)
                .reshape(s.get(0), slots, heads * s.get(2));
    }
}
