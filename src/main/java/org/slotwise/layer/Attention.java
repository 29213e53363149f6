package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Pass;

/**
 * Attention with several heads whose projections are layers of their own, under whatever names they
 * were declared, with or without biases; memory and queries may be of different sizes.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.
 *
 * <pre>{@code
 * q = Wq x          k = Wk m          v = Wv m
 * y = Wo attention(q, k, v)
 * }</pre>
 *
 * <p>x is (B, N, D), m is (B, M, D'). {@link MultiHeadAttention} is PyTorch's own, with one weight
 * for all three.
 *
 * @param query Wq, from D to a multiple of the heads
 * @param key Wk, from D' to the same
 * @param value Wv, from D' to the same
 * @param output Wo, from that to the size of y
 * @param heads H
 */
public record Attention(Linear query, Linear key, Linear value, Linear output, int heads)
        implements Layer {

    /** Self-attention of all to all. {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return heard(pass, x, x, false, (DropoutMask) null);
    }

    /**
     * Attends without telling how: y of {@link #attend} in less time and memory.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param memory (B, M, D')
     * @param causal whether a place sees only itself and those before it; N = M then
     * @param dropout what is kept of the weights, (B, H, N, M); null for all
     * @return y (B, N, size of the output)
     */
    public NDArray heard(
            Pass pass, NDArray x, NDArray memory, boolean causal, @Nullable DropoutMask dropout) {
        NDList p = projected(pass, x, memory);
        ScaledDotProduct product = new ScaledDotProduct(heads, causal, dropout);
        return output.apply(pass, product.heard(p.get(0), p.get(1), p.get(2)));
    }

    /**
     * Attends without telling how, with a draw of what is kept of the weights that nobody else
     * sees.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param memory (B, M, D')
     * @param causal whether a place sees only itself and those before it; N = M then
     * @param drawn how much of the weights is dropped
     * @return y (B, N, size of the output)
     */
    public NDArray heard(Pass pass, NDArray x, NDArray memory, boolean causal, Dropout drawn) {
        NDList p = projected(pass, x, memory);
        ScaledDotProduct product = new ScaledDotProduct(heads, causal, null);
        return output.apply(pass, product.heard(p.get(0), p.get(1), p.get(2), drawn));
    }

    /**
     * Attends.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param memory (B, M, D')
     * @param causal whether a place sees only itself and those before it; N = M then
     * @param dropout what is kept of the weights, (B, H, N, M); null for all
     * @return y (B, N, size of the output), and a before dropout
     */
    public Attended attend(
            Pass pass, NDArray x, NDArray memory, boolean causal, @Nullable DropoutMask dropout) {
        NDList p = projected(pass, x, memory);
        Attended heard =
                new ScaledDotProduct(heads, causal, dropout).attend(p.get(0), p.get(1), p.get(2));
        return new Attended(output.apply(pass, heard.output()), heard.weights());
    }

    /** Queries, keys and values. */
    private NDList projected(Pass pass, NDArray x, NDArray memory) {
        return new NDList(query.apply(pass, x), key.apply(pass, memory), value.apply(pass, memory));
    }
}
