package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.layer.Perceptron;

/**
 * A perceptron that maps all features of an image at once to slots: what Slot Attention has to
 * beat.
 *
 * <p>Source: the baseline "Slot MLP" of Locatello et al., "Object-Centric Learning with Slot
 * Attention" (2020), section 4. The numbers and sizes of the layers are a choice of ours.
 *
 * <pre>{@code
 * z = [x_1, ..., x_N]                              one vector of N F numbers
 * z = relu(W z + b)                                once for each hidden layer
 * [s_1, ..., s_K] = W z + b                        one vector of K D numbers
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F), of the parameters' type. Unlike in Slot Attention, their order matters,
 *       and their number N is fixed.
 *   <li>objects (B, K, D), in a fixed order, K fixed. There are no attributions and nothing is said
 *       about empty slots: both are null.
 *   <li>A conditioning is passed over, so that the block can stand where Slot Attention stood.
 * </ul>
 *
 * <p>Parameters: {@code mlp.0.weight} (hidden, N F), {@code mlp.0.bias}, then {@code mlp.2}, {@code
 * mlp.4} and so on, the last of them (K D, hidden). Weights and biases start as PyTorch's Linear
 * does.
 */
public final class SlotMlp extends GroupingBlock {

    private final int featureCount;
    private final int featureDim;
    private final int slots;
    private final int dim;
    private final int hidden;
    private final int hiddenLayers;
    private final Perceptron perceptron;

    private SlotMlp(Builder builder) {
        featureCount = builder.featureCount;
        featureDim = builder.featureDim;
        slots = builder.slots;
        dim = builder.dim;
        hidden = builder.hidden;
        hiddenLayers = builder.hiddenLayers;
        perceptron =
                Perceptron.of(
                        declarer().under("mlp"),
                        (long) featureCount * featureDim,
                        hidden,
                        hiddenLayers,
                        (long) slots * dim);
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        NDArray x = features.images(who());
        Check.floating(who(), FeatureExtractorOutput.FEATURES, x.getDataType());
        Check.shape(who(), FeatureExtractorOutput.FEATURES, x, "B", featureCount, featureDim);
        long batch = x.getShape().get(0);
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDArray z = x.reshape(batch, (long) featureCount * featureDim);
                            NDArray s = perceptron.apply(pass, z);
                            return new NDList(s.reshape(batch, slots, dim));
                        });
        return new PerceptualGroupingOutput(out.head(), null, null);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        Check.shape(who(), FeatureExtractorOutput.FEATURES, x, "B", featureCount, featureDim);
        return new Shape[] {new Shape(x.get(0), slots, dim)};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("featureCount", featureCount)
                .and("featureDim", featureDim)
                .and("slots", slots)
                .and("dim", dim)
                .and("hidden", hidden)
                .and("hiddenLayers", hiddenLayers);
    }

    /**
     * Starts the description of the block.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotMlp}. */
    public static final class Builder {
        private int featureCount;
        private int featureDim;
        private int slots;
        private int dim;
        private int hidden = 512;
        private int hiddenLayers = 2;

        private Builder() {}

        /**
         * Sets the number of features of an image, N.
         *
         * @param featureCount at least 1
         * @return this
         */
        public Builder setFeatureCount(int featureCount) {
            this.featureCount = featureCount;
            return this;
        }

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1
         * @return this
         */
        public Builder setFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return this;
        }

        /**
         * Sets the number of slots, K.
         *
         * @param slots from 1 to 65,536
         * @return this
         */
        public Builder setSlots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets the size of the hidden layers.
         *
         * @param hidden at least 1; 512 if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets the number of hidden layers.
         *
         * @param hiddenLayers from 1 to 1,000; 2 if not set
         * @return this
         */
        public Builder optHiddenLayers(int hiddenLayers) {
            this.hiddenLayers = hiddenLayers;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotMlp build() {
            atLeastOne("featureCount", featureCount);
            atLeastOne("featureDim", featureDim);
            Limits.count("SlotMlp", "slots", slots, 1, Limits.SLOTS);
            atLeastOne("dim", dim);
            atLeastOne("hidden", hidden);
            Limits.count("SlotMlp", "hiddenLayers", hiddenLayers, 1, Limits.LAYERS);
            return new SlotMlp(this);
        }

        private static void atLeastOne(String what, int got) {
            Check.option(got > 0, "SlotMlp: " + what + " must be at least 1, got " + got);
        }
    }
}
