package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/**
 * One layer of a transformer, under the names and starting values of PyTorch's {@code
 * nn.TransformerEncoderLayer} or, with a memory to look at, {@code nn.TransformerDecoderLayer};
 * without dropout, with ReLU. It works in the scope of the block that it is part of.
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
    private final Parameter weight1;
    private final Parameter bias1;
    private final Parameter weight2;
    private final Parameter bias2;
    private final List<Parameter> gains = new ArrayList<>();
    private final List<Parameter> offsets = new ArrayList<>();

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
        this.dim = dim;
        this.heads = heads;
        this.hidden = hidden;
        this.normFirst = normFirst;
        self = addChildBlock("self_attn", new MultiHeadAttention(dim, heads));
        cross = memory ? addChildBlock("multihead_attn", new MultiHeadAttention(dim, heads)) : null;
        Initializer start1 = StartingValues.linear(dim);
        Initializer start2 = StartingValues.linear(hidden);
        weight1 = declare("linear1.weight", Parameter.Type.WEIGHT, start1, hidden, dim);
        bias1 = declare("linear1.bias", Parameter.Type.BIAS, start1, hidden);
        weight2 = declare("linear2.weight", Parameter.Type.WEIGHT, start2, dim, hidden);
        bias2 = declare("linear2.bias", Parameter.Type.BIAS, start2, dim);
        for (int i = 1; i <= (memory ? 3 : 2); i++) {
            String norm = "norm" + i;
            gains.add(declare(norm + ".weight", Parameter.Type.GAMMA, Initializer.ONES, dim));
            offsets.add(declare(norm + ".bias", Parameter.Type.BETA, Initializer.ZEROS, dim));
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
        Check.option(heads > 0, who + ": heads must be at least 1, got " + heads);
        Check.option(
                dim > 0 && dim % heads == 0,
                who + ": dim must be a multiple of heads, got " + dim + " and " + heads);
        Check.option(hidden > 0, who + ": hidden must be at least 1, got " + hidden);
    }

    /**
     * Computes the layer.
     *
     * @param store where the parameters' values are
     * @param input x (B, N, D)
     * @param memory (B, M, D); null for a layer without
     * @param causal whether a place of x sees only itself and those before it
     * @param training whether the block is being trained
     * @return x (B, N, D) and the attention to the memory (B, H, M, N), or to x itself where there
     *     is none
     */
    public MultiHeadAttention.Attended apply(
            ParameterStore store,
            NDArray input,
            @Nullable NDArray memory,
            boolean causal,
            boolean training) {
        try (Scope scope = new Scope()) {
            NDArray[] weights = new NDArray[1];
            NDArray x =
                    part(
                            store,
                            input,
                            0,
                            training,
                            z -> {
                                var attended = self.attend(store, z, z, causal, training);
                                weights[0] = attended.weights();
                                return attended.output();
                            });
            if (cross != null && memory != null) {
                MultiHeadAttention attention = cross;
                NDArray m = memory;
                x =
                        part(
                                store,
                                x,
                                1,
                                training,
                                z -> {
                                    var attended = attention.attend(store, z, m, false, training);
                                    weights[0] = attended.weights();
                                    return attended.output();
                                });
            }
            x = part(store, x, gains.size() - 1, training, z -> perceptron(store, z, training));
            return new MultiHeadAttention.Attended(scope.keep(x), scope.keep(weights[0]));
        }
    }

    private NDArray part(
            ParameterStore store,
            NDArray x,
            int norm,
            boolean training,
            UnaryOperator<NDArray> work) {
        NDArray gain = value(store, gains.get(norm), x, training);
        NDArray offset = value(store, offsets.get(norm), x, training);
        return normFirst
                ? x.add(work.apply(Ops.layerNorm(x, gain, offset)))
                : Ops.layerNorm(x.add(work.apply(x)), gain, offset);
    }

    private NDArray perceptron(ParameterStore store, NDArray x, boolean training) {
        NDArray h =
                Activation.relu(
                        Ops.linear(
                                x,
                                value(store, weight1, x, training),
                                value(store, bias1, x, training)));
        return Ops.linear(h, value(store, weight2, x, training), value(store, bias2, x, training));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDArray memory = inputs.size() > 1 ? inputs.get(1) : null;
        return new NDList(apply(parameterStore, inputs.head(), memory, false, training).output());
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
        options.put("hidden", hidden);
        options.put("normFirst", normFirst);
        options.put("memory", cross != null);
        return options;
    }
}
