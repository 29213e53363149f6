package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Attended;
import org.slotwise.layer.TransformerLayer;

/**
 * A transformer that reads a sequence from left to right and looks at slots: each place sees
 * itself, the places before it and all slots. What it looks at says which slot a place is of.
 *
 * <p>Source: Vaswani et al., "Attention Is All You Need" (2017), with normalisation first; {@code
 * ocl.neural_networks.build_transformer_decoder} of the Object-Centric Learning Framework, which is
 * PyTorch's {@code nn.TransformerDecoder} without a last normalisation. There is no dropout.
 *
 * <ul>
 *   <li>targets (B, N, D) and memory (B, K, D), of the parameters' type.
 *   <li>outputs (B, N, D); attention (B, K, N) of one layer to the memory, the mean of its heads:
 *       its sum over K is 1.
 * </ul>
 *
 * <p>Parameters: {@code layers.0.self_attn.*}, {@code layers.0.multihead_attn.*}, {@code
 * layers.0.linear1.*}, {@code linear2}, {@code norm1}, {@code norm2} and {@code norm3}, and so on,
 * as in PyTorch.
 */
public final class TransformerDecoder extends ConfiguredBlock {

    private static final String TARGETS = "targets";

    private final int dim;
    private final int heads;
    private final int hidden;
    private final int attentionLayer;
    private final List<TransformerLayer> layers = new ArrayList<>();

    private TransformerDecoder(Builder builder) {
        dim = builder.dim;
        heads = builder.heads;
        hidden = builder.hidden == null ? 4 * dim : builder.hidden;
        attentionLayer =
                builder.attentionLayer == null ? builder.layers - 1 : builder.attentionLayer;
        for (int i = 0; i < builder.layers; i++) {
            layers.add(
                    addChildBlock(
                            "layers." + i, new TransformerLayer(dim, heads, hidden, true, true)));
        }
    }

    /**
     * The size of targets, memory and outputs.
     *
     * @return D
     */
    public int dim() {
        return dim;
    }

    /** The largest number of numbers that one image has on the way. */
    long largest(long n) {
        return Math.max(heads * n * n, n * Math.max(hidden, 3L * dim));
    }

    /**
     * Decodes.
     *
     * @param parameterStore where the parameters' values are
     * @param targets (B, N, D): what each place is told of the places before it
     * @param memory (B, K, D), the slots
     * @param training whether to record a graph for gradients
     * @return outputs (B, N, D) and attention (B, K, N), owned by the manager of the targets
     * @throws IllegalArgumentException if an input has another shape, type or device than the block
     *     expects
     */
    public NDList decode(
            ParameterStore parameterStore, NDArray targets, NDArray memory, boolean training) {
        check(targets, memory);
        return compute(parameterStore, targets, training, pass -> decode(pass, targets, memory));
    }

    private NDList decode(Pass pass, NDArray targets, NDArray memory) {
        NDArray x = targets;
        NDList attentions = new NDList();
        for (TransformerLayer layer : layers) {
            Attended attended = layer.apply(pass, x, memory, true);
            if (x != targets) {
                x.close();
            }
            x = attended.output();
            attentions.add(attended.weights());
        }
        NDArray attention = attentions.get(attentionLayer); // (B, H, K, N)
        return new NDList(x, attention.mean(new int[] {1}));
    }

    private void check(NDArray targets, NDArray memory) {
        Check.shape(who(), TARGETS, targets, "B", "N", dim);
        Check.floating(who(), TARGETS, targets.getDataType());
        Check.shape(who(), "memory", memory, targets.getShape().get(0), "K", dim);
        Check.sameTypeAndDevice(who(), "memory", memory, TARGETS, targets);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return TARGETS;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        Check.option(
                inputs.size() == 2,
                who() + ": expected targets and memory, got " + inputs.size() + " arrays");
        return decode(parameterStore, inputs.get(0), inputs.get(1), training);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.option(
                inputShapes.length == 2,
                who() + ": expected targets and memory, got " + inputShapes.length + " shapes");
        Shape targets = inputShapes[0];
        Shape memory = inputShapes[1];
        Check.shape(who(), TARGETS, targets, "B", "N", dim);
        Check.shape(who(), "memory", memory, targets.get(0), "K", dim);
        return new Shape[] {targets, new Shape(targets.get(0), memory.get(1), targets.get(1))};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("heads", heads)
                .and("hidden", hidden)
                .and("layers", layers.size());
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link TransformerDecoder}. */
    public static final class Builder {
        private int dim;
        private int heads = 8;
        private int layers = 4;
        private @Nullable Integer hidden;
        private @Nullable Integer attentionLayer;

        private Builder() {}

        /**
         * Sets the size of targets, memory and outputs, D.
         *
         * @param dim a multiple of the heads
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets the number of heads.
         *
         * @param heads at least 1; 8 if not set
         * @return this
         */
        public Builder optHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the number of layers.
         *
         * @param layers from 1 to 1,000; 4 if not set
         * @return this
         */
        public Builder optLayers(int layers) {
            this.layers = layers;
            return this;
        }

        /**
         * Sets the size of the hidden layer of each layer's perceptron.
         *
         * @param hidden at least 1; 4 D if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets the layer whose attention to the memory is given.
         *
         * @param layer from 0; the last one if not set
         * @return this
         */
        public Builder optAttentionLayer(int layer) {
            this.attentionLayer = layer;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public TransformerDecoder build() {
            String who = "TransformerDecoder";
            TransformerLayer.check(who, dim, heads, hidden == null ? 1 : hidden);
            Limits.count(who, "layers", layers, 1, Limits.LAYERS);
            Check.option(
                    attentionLayer == null || (attentionLayer >= 0 && attentionLayer < layers),
                    who
                            + ": attentionLayer must be from 0 to "
                            + (layers - 1)
                            + ", got "
                            + attentionLayer);
            return new TransformerDecoder(this);
        }
    }
}
