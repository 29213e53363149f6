package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.layer.TransformerLayer;

/**
 * Predicts the slots of the next frame of a video: layers of a transformer in which slots look at
 * each other.
 *
 * <p>Source: the predictor of Kipf et al., "Conditional Object-Centric Learning from Video" (2022),
 * section 2.2, one layer with normalisation last.
 *
 * <pre>{@code
 * s = LayerNorm(s + attention(s, s))
 * s = LayerNorm(s + W2 relu(W1 s + b1) + b2)
 * }</pre>
 *
 * <p>s is (B, K, D) of the parameters' type, and so is the result. Parameters: {@code
 * layers.0.self_attn.*}, {@code layers.0.linear1.*}, {@code linear2}, {@code norm1}, {@code norm2},
 * and so on, as those of PyTorch's {@code nn.TransformerEncoder}. There is no dropout.
 */
public final class SlotPredictor extends ConfiguredBlock {

    private static final String SLOTS = "slots";

    private final int dim;
    private final boolean normFirst;
    private final List<TransformerLayer> layers = new ArrayList<>();

    private SlotPredictor(Builder builder) {
        dim = builder.dim;
        normFirst = builder.normFirst;
        int hidden = builder.hidden == null ? 2 * dim : builder.hidden;
        for (int i = 0; i < builder.layers; i++) {
            TransformerLayer layer =
                    new TransformerLayer(dim, builder.heads, hidden, normFirst, false);
            layers.add(addChildBlock("layers." + i, layer));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return SLOTS;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray slots = Check.shape(who(), SLOTS, Inputs.only(who(), SLOTS, inputs), "B", "K", dim);
        Check.floating(who(), SLOTS, slots.getDataType());
        return compute(
                parameterStore,
                slots,
                training,
                pass -> {
                    NDArray s = slots;
                    for (TransformerLayer layer : layers) {
                        s = layer.apply(pass, s, null, false).output();
                    }
                    return new NDList(s);
                });
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(who(), SLOTS, inputShapes[0], "B", "K", dim);
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim).and("layers", layers.size()).and("normFirst", normFirst);
    }

    /**
     * Starts the description of a predictor.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotPredictor}. */
    public static final class Builder {
        private int dim;
        private int heads = 4;
        private int layers = 1;
        private @Nullable Integer hidden;
        private boolean normFirst;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
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
         * @param heads at least 1; 4 if not set
         * @return this
         */
        public Builder optHeads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Sets the number of layers.
         *
         * @param layers from 1 to 1,000; 1 if not set
         * @return this
         */
        public Builder optLayers(int layers) {
            this.layers = layers;
            return this;
        }

        /**
         * Sets the size of the hidden layer of each layer's perceptron.
         *
         * @param hidden at least 1; 2 D if not set, as in the source
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets whether normalisation comes first in each part of a layer.
         *
         * @param normFirst false, last, if not set
         * @return this
         */
        public Builder optNormFirst(boolean normFirst) {
            this.normFirst = normFirst;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotPredictor build() {
            String who = "SlotPredictor";
            TransformerLayer.check(who, dim, heads, hidden == null ? 1 : hidden);
            Limits.count(who, "layers", layers, 1, Limits.LAYERS);
            return new SlotPredictor(this);
        }
    }
}
