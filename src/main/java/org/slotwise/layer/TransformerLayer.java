package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;

/**
 * One layer of a transformer, under the names and starting values of PyTorch's {@code
 * nn.TransformerEncoderLayer} or, with a memory to look at, {@code nn.TransformerDecoderLayer};
 * without dropout, with ReLU.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.1; normalisation first
 * as Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020).
 *
 * <pre>{@code
 * x = x + f(LayerNorm(x))          normalisation first
 * x = LayerNorm(x + f(x))          normalisation last
 * }</pre>
 *
 * <p>for f in turn self-attention, attention to the memory (if there is one), and the perceptron
 * {@code W2 relu(W1 x + b1) + b2}.
 */
public final class TransformerLayer extends ConfiguredBlock {

    private final int dim;
    private final int heads;
    private final int hidden;
    private final boolean normFirst;
    private final MultiHeadAttention self;
    private final @Nullable MultiHeadAttention cross;
    private final Linear linear1;
    private final Linear linear2;
    private final List<LayerNorm> norms = new ArrayList<>();

    /**
     * Creates the block.
     *
     * @param dim D, a multiple of the heads
     * @param heads H, at least 1
     * @param hidden the size of the perceptron's hidden layer
     * @param normFirst whether each part normalises its input, or the sum that it is added to
     * @param memory whether there is a memory to look at
     */
    public TransformerLayer(int dim, int heads, int hidden, boolean normFirst, boolean memory) {
        check(who(), dim, heads, hidden);
        this.dim = dim;
        this.heads = heads;
        this.hidden = hidden;
        this.normFirst = normFirst;
        self = addChildBlock("self_attn", new MultiHeadAttention(dim, heads));
        cross = memory ? addChildBlock("multihead_attn", new MultiHeadAttention(dim, heads)) : null;
        linear1 = Linear.of(declarer().under("linear1"), dim, hidden);
        linear2 = Linear.of(declarer().under("linear2"), hidden, dim);
        for (int i = 1; i <= (memory ? 3 : 2); i++) {
            norms.add(LayerNorm.of(declarer().under("norm" + i), dim));
        }
    }

    /**
     * Checks the options of blocks that are made of layers.
     *
     * @param who the block that complains
     * @param dim D
     * @param heads H
     * @param hidden the size of the perceptron's hidden layer
     */
    public static void check(String who, int dim, int heads, int hidden) {
        Check.atLeast(who, "heads", heads, 1);
        Check.option(
                dim > 0 && dim % heads == 0,
                who + ": dim must be a multiple of heads, got " + dim + " and " + heads);
        Check.atLeast(who, "hidden", hidden, 1);
        Limits.numbers(who, "the projections of dim", 3, dim, dim);
        Limits.numbers(who, "the projection from dim to hidden", dim, hidden);
    }

    /**
     * Computes the layer.
     *
     * @param pass the call of the block that this is part of
     * @param input x (B, N, D)
     * @param memory (B, M, D); null for a layer without
     * @param causal whether a place of x sees only itself and those before it
     * @return x (B, N, D) and the attention to the memory (B, H, M, N), or to x itself where there
     *     is none
     */
    public Attended apply(Pass pass, NDArray input, @Nullable NDArray memory, boolean causal) {
        try (Scope scope = new Scope()) {
            NDArray[] weights = new NDArray[1];
            boolean looked = cross != null && memory != null;
            NDArray x =
                    part(
                            pass,
                            input,
                            0,
                            z -> {
                                if (looked) {
                                    return self.heard(pass, z, z, causal);
                                }
                                var attended = self.attend(pass, z, z, causal);
                                weights[0] = attended.weights();
                                return attended.output();
                            });
            if (cross != null && memory != null) {
                MultiHeadAttention attention = cross;
                NDArray m = memory;
                x =
                        part(
                                pass,
                                x,
                                1,
                                z -> {
                                    var attended = attention.attend(pass, z, m, false);
                                    weights[0] = attended.weights();
                                    return attended.output();
                                });
            }
            x = part(pass, x, norms.size() - 1, z -> perceptron(pass, z));
            return new Attended(scope.keep(x), scope.keep(weights[0]));
        }
    }

    private NDArray part(Pass pass, NDArray x, int index, UnaryOperator<NDArray> work) {
        LayerNorm norm = norms.get(index);
        return normFirst
                ? x.add(work.apply(norm.apply(pass, x)))
                : norm.apply(pass, x.add(work.apply(x)));
    }

    private NDArray perceptron(Pass pass, NDArray x) {
        return linear2.apply(pass, LeakyRelu.NONE.ofMap(pass, linear1, x));
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
        NDArray memory = inputs.size() > 1 ? inputs.get(1) : null;
        return compute(
                parameterStore,
                x,
                training,
                pass -> new NDList(apply(pass, x, memory, false).output()));
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
        return Options.of("dim", dim)
                .and("heads", heads)
                .and("hidden", hidden)
                .and("normFirst", normFirst)
                .and("memory", cross != null);
    }
}
