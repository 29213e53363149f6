package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Pass;

/**
 * What the iterations of Slot Attention need of the normalised features x (B, N, F): the products
 * of their keys with queries, and weighted sums of their values.
 */
interface AttendedFeatures {

    /** q . k: (B, H, K, N) for queries q (B, K, C). */
    NDArray dot(NDArray q);

    /**
     * The sum over features of w v: (B, H, K, C/H) for weights w = a + eps.
     *
     * @param a (B, H, K, N)
     * @param total the sum over features of w, (B, H, K, 1)
     */
    NDArray weightedSum(NDArray a, NDArray total);

    /**
     * Chooses between keys and values of every feature, made once, and projections that move to the
     * slots' side, whichever takes fewer multiplications over all iterations.
     *
     * <p>With keys and values: 2 N F C for them, then 2 N K C an iteration. Without: 2 N K H F an
     * iteration, where every head sees all of a feature, and 2 K F C for the slots. Where nothing
     * is projected, the features are their own keys and values.
     */
    static AttendedFeatures of(
            Pass pass,
            SlotAttentionLayers layers,
            NDArray x,
            int heads,
            double eps,
            long slots,
            long iterations) {
        return absorbs(layers, x.getShape(), heads, slots, iterations)
                ? new AbsorbedFeatures(pass, layers, x, heads, eps)
                : new ProjectedFeatures(pass, layers, x, heads, eps);
    }

    /** Whether projections move to the slots' side for features (B, N, F). */
    static boolean absorbs(
            SlotAttentionLayers layers, Shape features, int heads, long slots, long iterations) {
        double n = features.get(1);
        double f = features.get(2);
        double c = layers.kvqDim();
        double k = slots;
        double projected = 2 * n * f * c + iterations * 2 * n * k * c;
        double absorbed = iterations * (2 * n * k * heads * f + 2 * k * f * c);
        boolean identity = layers.key() == null;
        return identity || absorbed < projected;
    }

    /** A way to choose: {@link #of}, or in tests one form for all. */
    @FunctionalInterface
    interface Choice {
        AttendedFeatures make(
                Pass pass,
                SlotAttentionLayers layers,
                NDArray x,
                int heads,
                double eps,
                long slots,
                long iterations);
    }
}
