package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;

/**
 * Attention with several heads, under the names and starting values of PyTorch's {@code
 * nn.MultiheadAttention}.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.
 *
 * <pre>{@code
 * q = Wq x + bq          k = Wk m + bk          v = Wv m + bv
 * a = softmax over m of  q . k / sqrt(D / H)
 * y = Wo (sum over m of  a v) + bo              heads side by side
 * }</pre>
 *
 * <p>x is (B, N, D), m is (B, M, D), and so y is (B, N, D) and a (B, H, M, N). A softmax over the
 * second last axis is many times faster on a CPU than one over a short last axis.
 */
public final class MultiHeadAttention extends ConfiguredBlock {

    private final int dim;
    private final int heads;
    private final Parameter inWeight;
    private final Parameter inBias;
    private final Parameter outWeight;
    private final Parameter outBias;

    /**
     * What attention gives.
     *
     * @param output y (B, N, D)
     * @param weights a (B, H, M, N)
     */
    public record Attended(NDArray output, NDArray weights) {}

    /**
     * Creates the block.
     *
     * @param dim D, a multiple of the heads
     * @param heads H, at least 1
     */
    public MultiHeadAttention(int dim, int heads) {
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
        NDArray w = pass.value(inWeight);
        NDArray b = pass.value(inBias);
        NDArray q;
        NDList kv;
        if (memory == x) {
            NDList all = Ops.linear(x, w, b).split(3, 2);
            q = all.get(0);
            kv = new NDList(all.get(1), all.get(2));
        } else {
            q = Ops.linear(x, w.get("0:{}", dim), b.get("0:{}", dim));
            kv = Ops.linear(memory, w.get("{}:", dim), b.get("{}:", dim)).split(2, 2);
        }
        NDArray scaled = q.mul(Scalars.like(q, 1 / Math.sqrt((double) dim / heads)));
        NDArray scores = split(kv.get(0)).batchMatMul(split(scaled).swapAxes(1, 2)); // (B H, M, N)
        if (causal) {
            scores = Ops.maskedFill(scores, later(scores), Double.NEGATIVE_INFINITY);
        }
        NDArray a = scores.softmax(1);
        NDArray u = a.swapAxes(1, 2).batchMatMul(split(kv.get(1))); // (B H, N, D / H)
        long batch = x.getShape().get(0);
        long n = x.getShape().get(1);
        NDArray joined =
                u.reshape(batch, heads, n, dim / heads)
                        .transpose(0, 2, 1, 3)
                        .reshape(batch, n, dim);
        NDArray y = Ops.linear(joined, pass.value(outWeight), pass.value(outBias));
        return new Attended(y, a.reshape(batch, heads, memory.getShape().get(1), n));
    }

    /** (B, N, D) to (B H, N, D / H). */
    private NDArray split(NDArray x) {
        long batch = x.getShape().get(0);
        long n = x.getShape().get(1);
        return x.reshape(batch, n, heads, dim / heads)
                .transpose(0, 2, 1, 3)
                .reshape(batch * heads, n, dim / heads);
    }

    /** Where what is looked at (rows) lies after the place that looks (columns): (1, N, N). */
    private static NDArray later(NDArray scores) {
        NDArray place = Ops.range(scores, Math.toIntExact(scores.getShape().get(1)));
        return place.expandDims(1).gt(place.expandDims(0)).expandDims(0);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDArray memory = inputs.size() > 1 ? inputs.get(1) : inputs.head();
        return compute(
                parameterStore,
                inputs.head(),
                training,
                pass -> new NDList(attend(pass, inputs.head(), memory, false).output()));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("dim", dim);
        options.put("heads", heads);
        return options;
    }
}
