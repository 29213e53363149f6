package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.CausalDropout;
import org.slotwise.internal.Check;
import org.slotwise.internal.DropoutDraw;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * What all attention of several heads has in common, once queries, keys and values are there.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.
 *
 * <pre>{@code
 * a = softmax over m of  q . k / sqrt(D / H)          for each head, on its slice of D / H elements
 * y = sum over m of  a v                              heads side by side
 * }</pre>
 *
 * <p>q is (B, N, D), k and v are (B, M, D). A softmax over the second last axis is many times
 * faster on a CPU than one over a short last axis: scores are (B H, M, N).
 */
public final class ScaledDotProduct {

    private final int heads;
    private final boolean causal;
    private final @Nullable DropoutMask dropout;

    /**
     * Attention of all to all.
     *
     * @param heads H
     */
    public ScaledDotProduct(int heads) {
        this(heads, false, null);
    }

    /**
     * Attention that may be limited.
     *
     * @param heads H
     * @param causal whether a place sees only itself and those before it; N = M then
     * @param dropout what is kept of the weights, (B, H, N, M); null for all
     */
    public ScaledDotProduct(int heads, boolean causal, @Nullable DropoutMask dropout) {
        Check.atLeast("ScaledDotProduct", "heads", heads, 1);
        this.heads = heads;
        this.causal = causal;
        this.dropout = dropout;
    }

    /**
     * Attends.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, M, D)
     * @param v values (B, M, D)
     * @return y (B, N, D), and a before dropout
     */
    public Attended attend(NDArray q, NDArray k, NDArray v) {
        check(q, k, v);
        long batch = q.getShape().get(0);
        long n = q.getShape().get(1);
        long m = k.getShape().get(1);
        long dim = q.getShape().get(2);
        NDArray scaled = q.mul(Scalars.like(q, 1 / Math.sqrt((double) dim / heads)));
        NDArray scores = byHeads(k).batchMatMul(byHeads(scaled).swapAxes(1, 2)); // (B H, M, N)
        if (causal) {
            scores = Ops.maskedFill(scores, later(scores), Double.NEGATIVE_INFINITY);
        }
        NDArray a = scores.softmax(1);
        NDArray kept = a.swapAxes(1, 2); // (B H, N, M)
        if (dropout != null) {
            kept = dropout.reshaped(batch * heads, n, m).dropped(kept);
        }
        NDArray values = dropout == null ? v : dropout.scaled(v);
        NDArray y =
                kept.batchMatMul(byHeads(values)) // (B H, N, D / H)
                        .reshape(batch, heads, n, dim / heads)
                        .transpose(0, 2, 1, 3)
                        .reshape(batch, n, dim);
        return new Attended(y, a.reshape(batch, heads, m, n));
    }

    /**
     * Attends without telling how: y of {@link #attend} in less time and memory. Without dropout
     * the weights are not kept, and of a place that sees only those before it, nothing is computed
     * that it does not see (in pieces of 64 places).
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, M, D)
     * @param v values (B, M, D)
     * @return y (B, N, D)
     */
    public NDArray heard(NDArray q, NDArray k, NDArray v) {
        check(q, k, v);
        if (dropout == null) {
            return FusedOps.attention(q, k, v, heads, causal);
        }
        if (!causal) {
            return attend(q, k, v).output();
        }
        return CausalDropout.attention(q, k, dropout.scaled(v), dropout.kept(), heads);
    }

    /**
     * Attends as {@link #heard(NDArray, NDArray, NDArray)}, with a draw of what is kept of the
     * weights that nobody else sees: of causal attention no more is drawn than is seen.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, M, D)
     * @param v values (B, M, D)
     * @param drawn how much of the weights is dropped
     * @return y (B, N, D)
     */
    public NDArray heard(NDArray q, NDArray k, NDArray v, Dropout drawn) {
        check(q, k, v);
        if (causal && drawn.rate() > 0 && DropoutDraw.isFine(drawn.rate())) {
            NDArray values = v.mul(Scalars.like(v, 1 / (1 - drawn.rate())));
            return CausalDropout.drawn(q, k, values, drawn.rate(), heads);
        }
        Shape s = q.getShape();
        DropoutMask mask = drawn.kept(q, new Shape(s.get(0), heads, s.get(1), k.getShape().get(1)));
        return new ScaledDotProduct(heads, causal, mask).heard(q, k, v);
    }

    private void check(NDArray q, NDArray k, NDArray v) {
        String who = "ScaledDotProduct";
        Check.shape(who, "queries", q, "B", "N", "D");
        Check.floating(who, "queries", q.getDataType());
        long batch = q.getShape().get(0);
        long dim = q.getShape().get(2);
        Check.option(
                dim % heads == 0,
                who + ": D must be a multiple of heads, got " + dim + " and " + heads);
        Check.shape(who, "keys", k, batch, "M", dim);
        Check.shape(who, "values", v, batch, k.getShape().get(1), dim);
        Check.option(
                !causal || k.getShape().get(1) == q.getShape().get(1),
                who
                        + ": causal attention needs as many keys as queries, got "
                        + k.getShape().get(1)
                        + " and "
                        + q.getShape().get(1));
        Check.sameTypeAndDevice(who, "keys", k, "queries", q);
        Check.sameTypeAndDevice(who, "values", v, "queries", q);
        if (dropout != null) {
            long n = q.getShape().get(1);
            dropout.check("queries", q, batch, heads, n, k.getShape().get(1));
        }
    }

    /** (B, N, D) to (B H, N, D / H). */
    private NDArray byHeads(NDArray x) {
        long batch = x.getShape().get(0);
        long n = x.getShape().get(1);
        long size = x.getShape().get(2) / heads;
        return x.reshape(batch, n, heads, size)
                .transpose(0, 2, 1, 3)
                .reshape(batch * heads, n, size);
    }

    /** Where what is looked at (rows) lies after the place that looks (columns): (1, N, N). */
    private static NDArray later(NDArray scores) {
        NDArray place = Ops.range(scores, Math.toIntExact(scores.getShape().get(1)));
        return place.expandDims(1).gt(place.expandDims(0)).expandDims(0);
    }
}
