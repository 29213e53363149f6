package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Scalars;

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
    private final NDArray keyWeight; // (H, C/H, F)
    private final NDArray valueWeight; // (H, F, C/H)
    private final @Nullable NDArray keyBias; // (H, C/H, 1)
    private final @Nullable NDArray valueBias; // (H, 1, C/H)

    AbsorbedFeatures(SlotAttentionWeights weights, NDArray x, int heads, double eps) {
        this.heads = heads;
        features = x;
        epsTimesSum = x.sum(new int[] {1}, true).mul(Scalars.like(x, eps));
        long f = x.getShape().get(2);
        keyWeight = weights.key().reshape(heads, -1, f);
        valueWeight = weights.value().reshape(heads, -1, f).swapAxes(1, 2);
        NDArray bk = weights.keyBias();
        keyBias = bk == null ? null : bk.reshape(heads, -1, 1);
        NDArray bv = weights.valueBias();
        valueBias = bv == null ? null : bv.reshape(heads, 1, -1);
    }

    @Override
    public NDArray dot(NDArray q) {
        Shape s = q.getShape();
        long batch = s.get(0);
        long slots = s.get(1);
        NDArray perHead = q.reshape(batch * slots, heads, -1).swapAxes(0, 1); // (H, B K, C/H)
        NDArray absorbed = slotsFirst(perHead.matMul(keyWeight), batch); // (B, H K, F)
        // A view for each call: one for all would gather its gradients beside those of x.
        NDArray transposed = features.swapAxes(1, 2); // (B, F, N)
        NDArray logits = absorbed.matMul(transposed).reshape(batch, heads, slots, -1);
        if (keyBias == null) {
            return logits;
        }
        return logits.add(
                slotsFirst(perHead.matMul(keyBias), batch).reshape(batch, heads, slots, 1));
    }

    @Override
    public NDArray weightedSum(NDArray a, NDArray total) {
        Shape s = a.getShape();
        long batch = s.get(0);
        long slots = s.get(2);
        // sum of (a + eps) x = sum of a x + eps times the sum of x
        NDArray sum = a.reshape(batch, heads * slots, -1).matMul(features).add(epsTimesSum);
        NDArray perHead = headsFirst(sum, slots); // (H, B K, F)
        NDArray u = slotsFirst(perHead.matMul(valueWeight), batch); // (B, H K, C/H)
        u = u.reshape(batch, heads, slots, -1);
        return valueBias == null ? u : u.add(valueBias.mul(total));
    }

    /** (B, H K, X) to (H, B K, X). */
    private NDArray headsFirst(NDArray x, long slots) {
        Shape s = x.getShape();
        long batch = s.get(0);
        return x.reshape(batch, heads, slots, s.get(2))
                .swapAxes(0, 1)
                .reshape(heads, batch * slots, s.get(2));
    }

    /** (H, B K, X) to (B, H K, X). */
    private NDArray slotsFirst(NDArray x, long batch) {
        Shape s = x.getShape();
        long slots = s.get(1) / batch;
        return x.reshape(heads, batch, slots, s.get(2))
                .swapAxes(0, 1)
                .reshape(batch, heads * slots, s.get(2));
    }
}
