package org.slotwise.grouping;

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
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

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
public final class SlotMlp extends ConfiguredBlock implements PerceptualGrouping {

    private final int featureCount;
    private final int featureDim;
    private final int slots;
    private final int dim;
    private final int hidden;
    private final int hiddenLayers;
    private final List<Parameter> weights = new ArrayList<>();
    private final List<Parameter> biases = new ArrayList<>();

    private SlotMlp(Builder builder) {
        featureCount = builder.featureCount;
        featureDim = builder.featureDim;
        slots = builder.slots;
        dim = builder.dim;
        hidden = builder.hidden;
        hiddenLayers = builder.hiddenLayers;
        long in = (long) featureCount * featureDim;
        for (int i = 0; i <= hiddenLayers; i++) {
            long out = i < hiddenLayers ? hidden : (long) slots * dim;
            Initializer start = StartingValues.linear(in);
            String name = "mlp." + 2 * i;
            weights.add(declare(name + ".weight", Parameter.Type.WEIGHT, start, out, in));
            biases.add(declare(name + ".bias", Parameter.Type.BIAS, start, out));
            in = hidden;
        }
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
        fetchAll(parameterStore, this, x, training);
        value(parameterStore, weights.get(0), x, training); // checks the type
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        long batch = x.getShape().get(0);
                        NDArray z = x.reshape(batch, (long) featureCount * featureDim);
                        for (int i = 0; i <= hiddenLayers; i++) {
                            NDArray w = value(parameterStore, weights.get(i), x, training);
                            NDArray b = value(parameterStore, biases.get(i), x, training);
                            z = Ops.linear(i == 0 ? z : Activation.relu(z), w, b);
                        }
                        NDArray s = scope.keep(z.reshape(batch, slots, dim), x.getManager());
                        return new PerceptualGroupingOutput(s, null, null);
                    }
                });
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        GroupingInputs in =
                GroupingInputs.parse(
                        who(),
                        inputs,
                        FeatureExtractorOutput.FEATURES,
                        GroupingInputs.CONDITIONING);
        return group(parameterStore, in.extracted(), null, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        Check.shape(who(), FeatureExtractorOutput.FEATURES, x, "B", featureCount, featureDim);
        return new Shape[] {new Shape(x.get(0), slots, dim)};
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("featureCount", featureCount);
        options.put("featureDim", featureDim);
        options.put("slots", slots);
        options.put("dim", dim);
        options.put("hidden", hidden);
        options.put("hiddenLayers", hiddenLayers);
        return options;
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
         * @param slots at least 1
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
         * @param hiddenLayers at least 1; 2 if not set
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
            atLeastOne("slots", slots);
            atLeastOne("dim", dim);
            atLeastOne("hidden", hidden);
            atLeastOne("hiddenLayers", hiddenLayers);
            return new SlotMlp(this);
        }

        private static void atLeastOne(String what, int got) {
            Check.option(got > 0, "SlotMlp: " + what + " must be at least 1, got " + got);
        }
    }
}
