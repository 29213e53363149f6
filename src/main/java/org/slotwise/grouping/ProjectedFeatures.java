package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/** Keys and values of all features, laid out once for the iterations of slot attention. */
final class ProjectedFeatures {

    private final int heads;
    private final NDArray keys; // (B, H, C/H, N)
    private final NDArray values; // (B, H, N, C/H)

    /**
     * Lays out keys and values by heads.
     *
     * @param k (B, N, C)
     * @param v (B, N, C)
     */
    ProjectedFeatures(NDArray k, NDArray v, int heads) {
        this.heads = heads;
        keys = byHeads(k).swapAxes(2, 3);
        values = byHeads(v);
    }

    /** q . k: (B, H, K, N) for queries (B, K, C). */
    NDArray dot(NDArray q) {
        return byHeads(q).matMul(keys);
    }

    /** sum over features of w v, heads side by side: (B, K, C) for weights (B, H, K, N). */
    NDArray weightedSum(NDArray w) {
        NDArray u = w.matMul(values); // (B, H, K, C/H)
        Shape s = u.getShape();
        return u.swapAxes(1, 2).reshape(s.get(0), s.get(2), heads * s.get(3));
    }

    private NDArray byHeads(NDArray x) {
        Shape s = x.getShape();
        return x.reshape(s.get(0), s.get(1), heads, s.get(2) / heads).swapAxes(1, 2);
    }
}
