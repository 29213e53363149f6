package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;

/** Keys and values of every feature, k = Wk x and v = Wv x, made once for all iterations. */
final class ProjectedFeatures implements AttendedFeatures {

    private final int heads;
    private final NDArray keys; // (B, H, C/H, N)
    private final NDArray values; // (B, H, N, C/H)
    private final NDArray epsTimesSum; // eps times the sum of values, (B, H, 1, C/H)

    ProjectedFeatures(Pass pass, SlotAttentionLayers layers, NDArray x, int heads, double eps) {
        this.heads = heads;
        keys = byHeads(layers.keys(pass, x)).swapAxes(2, 3);
        values = byHeads(layers.values(pass, x));
        epsTimesSum = values.sum(new int[] {2}, true).mul(Scalars.like(x, eps));
    }

    @Override
    public NDArray dot(NDArray q) {
        return byHeads(q).matMul(keys);
    }

    @Override
    public NDArray weightedSum(NDArray a, NDArray total) {
        // sum of (a + eps) v = sum of a v + eps times the sum of v
        return a.matMul(values).add(epsTimesSum);
    }

    private NDArray byHeads(NDArray x) {
        Shape s = x.getShape();
        return x.reshape(s.get(0), s.get(1), heads, s.get(2) / heads).swapAxes(1, 2);
    }
}
