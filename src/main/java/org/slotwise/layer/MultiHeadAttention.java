package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * Attention with several heads, under the names and starting values of PyTorch's {@code
 * nn.MultiheadAttention}.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.
 *
 * <pre>{@code
 * q = Wq x + bq          k = Wk m + bk          v = Wv m + bv
 * y = Wo attention(q, k, v) + bo
 * }</pre>
 *
 * <p>x is (B, N, D), m is (B, M, D), and so y is (B, N, D): {@link ScaledDotProduct}. Under other
 * names, or with a weight for each projection, it is {@link Attention}.
 */
public final class MultiHeadAttention extends ConfiguredBlock {

    private final int dim;
    private final int heads;
    private final Parameter inWeight;
    private final Parameter inBias;
    private final Parameter outWeight;
    private final Parameter outBias;

    /**
     * Creates the block.
     *
     * @param dim D, a multiple of the heads
     * @param heads H, at least 1
     */
    public MultiHeadAttention(int dim, int heads) {
        TransformerLayer.check(who(), dim, heads, 1);
        this.dim = dim;
        this.heads = heads;
        inWeight =
                declare(
                        "in_proj_weight",
                        Parameter.Type.WEIGHT,
                        StartingValues.xavier(dim, 3L * dim),
                        3L * dim,
                        dim);
        inBias = declare("in_proj_bias", Parameter.Type.BIAS, Initializer.ZEROS, 3L * dim);
        outWeight =
                declare(
                        "out_proj.weight",
                        Parameter.Type.WEIGHT,
                        StartingValues.linear(dim),
                        dim,
                        dim);
        outBias = declare("out_proj.bias", Parameter.Type.BIAS, Initializer.ZEROS, dim);
    }

    /**
     * Attends.
     *
     * @param pass the call of the block that this is part of
     * @param x (B, N, D)
     * @param memory (B, M, D); x itself for self-attention
     * @param causal whether a place sees only itself and those before it; N = M then
     * @return y and a
     */
    public Attended attend(Pass pass, NDArray x, NDArray memory, boolean causal) {
        NDList parts = parts(pass, x, memory);
        Attended heard =
                new ScaledDotProduct(heads, causal, null)
                        .attend(parts.get(0), parts.get(1), parts.get(2));
        return new Attended(output(pass, heard.output()), heard.weights());
    }

    /**
     * Attends without telling how: y of {@link #attend} in less time and memory.
     *
     * @param pass the call of the block that this is part of
     * @param x (B, N, D)
     * @param memory (B, M, D); x itself for self-attention
     * @param causal whether a place sees only itself and those before it; N = M then
     * @return y (B, N, D)
     */
    public NDArray heard(Pass pass, NDArray x, NDArray memory, boolean causal) {
        NDList parts = parts(pass, x, memory);
        return output(
                pass,
                new ScaledDotProduct(heads, causal, null)
                        .heard(parts.get(0), parts.get(1), parts.get(2)));
    }

    /** Queries, keys and values. */
    private NDList parts(Pass pass, NDArray x, NDArray memory) {
        NDArray w = pass.value(inWeight);
        NDArray b = pass.value(inBias);
        if (memory == x) {
            return Ops.linear(x, w, b).split(3, 2);
        }
        NDList parts = new NDList(Ops.linear(x, w.get("0:{}", dim), b.get("0:{}", dim)));
        parts.addAll(Ops.linear(memory, w.get("{}:", dim), b.get("{}:", dim)).split(2, 2));
        return parts;
    }

    private NDArray output(Pass pass, NDArray heard) {
        return Ops.linear(heard, pass.value(outWeight), pass.value(outBias));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        Check.option(
                inputs.size() == 1 || inputs.size() == 2,
                who() + ": expected input and memory, got " + inputs.size() + " arrays");
        NDArray x = inputs.head();
        Check.shape(who(), "input", x, "B", "N", dim);
        Check.floating(who(), "input", x.getDataType());
        if (inputs.size() > 1) {
            NDArray other = inputs.get(1);
            Check.shape(who(), "memory", other, x.getShape().get(0), "M", dim);
            Check.sameTypeAndDevice(who(), "memory", other, "input", x);
        }
        NDArray memory = inputs.size() > 1 ? inputs.get(1) : x;
        return compute(
                parameterStore, x, training, pass -> new NDList(heard(pass, x, memory, false)));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(who(), "input", inputShapes[0], "B", "N", dim);
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim).and("heads", heads);
    }
}
