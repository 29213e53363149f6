package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
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
 * What the object of each slot is: a perceptron, the same for all slots, from a slot to numbers in
 * [0, 1].
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), sections 2.3
 * and 4.2, where the numbers are position, one-hot attributions and presence of an object of CLEVR
 * ({@code org.slotwise.data.ClevrObject}).
 *
 * <pre>{@code
 * sigmoid(W2 relu(W1 slot + b1) + b2)
 * }</pre>
 *
 * <p>With {@link Builder#optAttributes} the numbers of each attribute pass a softmax in place of
 * the sigmoid, and are probabilities of its values: what {@code org.slotwise.loss.HungarianLoss}
 * needs.
 *
 * <ul>
 *   <li>slots (B, K, D), of the parameters' type.
 *   <li>properties (B, K, P).
 * </ul>
 *
 * <p>Parameters: {@code mlp.0.weight} (hidden, D), {@code mlp.0.bias}, {@code mlp.2.weight} (P,
 * hidden), {@code mlp.2.bias}. They start as PyTorch's Linear does, where the paper's code has
 * Glorot's uniform weights and biases of 0.
 */
public final class PropertyDecoder extends ConfiguredBlock {

    private final int slotDim;
    private final int properties;
    private final int hidden;
    private final int firstAttribute;
    private final List<Integer> attributes;
    private final Parameter weight1;
    private final Parameter bias1;
    private final Parameter weight2;
    private final Parameter bias2;

    private PropertyDecoder(Builder builder) {
        slotDim = builder.slotDim;
        properties = builder.properties;
        hidden = builder.hidden;
        firstAttribute = builder.firstAttribute;
        attributes = builder.attributes;
        Initializer first = StartingValues.linear(slotDim);
        weight1 = declare("mlp.0.weight", Parameter.Type.WEIGHT, first, hidden, slotDim);
        bias1 = declare("mlp.0.bias", Parameter.Type.BIAS, first, hidden);
        Initializer second = StartingValues.linear(hidden);
        weight2 = declare("mlp.2.weight", Parameter.Type.WEIGHT, second, properties, hidden);
        bias2 = declare("mlp.2.bias", Parameter.Type.BIAS, second, properties);
    }

    /**
     * Describes the objects of slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of the parameters' type
     * @param training whether to record a graph for gradients
     * @return properties (B, K, P) in [0, 1], owned by the manager of the slots
     * @throws IllegalArgumentException if the slots have another shape, type or device than the
     *     block expects
     */
    public NDArray decode(ParameterStore parameterStore, NDArray slots, boolean training) {
        AlphaComposition.checkSlots(who(), slots, slotDim);
        NDArray w1 = value(parameterStore, weight1, slots, training);
        NDArray b1 = value(parameterStore, bias1, slots, training);
        NDArray w2 = value(parameterStore, weight2, slots, training);
        NDArray b2 = value(parameterStore, bias2, slots, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray h = Activation.relu(Ops.linear(slots, w1, b1));
                        NDArray out = squashed(Ops.linear(h, w2, b2));
                        return scope.keep(out, slots.getManager());
                    }
                });
    }

    private NDArray squashed(NDArray x) {
        if (attributes.isEmpty()) {
            return Activation.sigmoid(x);
        }
        NDList parts = new NDList();
        int at = firstAttribute;
        if (at > 0) {
            parts.add(Activation.sigmoid(x.get(":, :, :" + at)));
        }
        for (int values : attributes) {
            parts.add(x.get(":, :, " + at + ":" + (at + values)).softmax(2));
            at += values;
        }
        if (at < properties) {
            parts.add(Activation.sigmoid(x.get(":, :, " + at + ":")));
        }
        return parts.size() == 1 ? parts.head() : NDArrays.concat(parts, 2);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return "slots";
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return new NDList(decode(parameterStore, inputs.singletonOrThrow(), training));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        Check.shape(who(), "slots", slots, "B", "K", slotDim);
        return new Shape[] {new Shape(slots.get(0), slots.get(1), properties)};
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("slotDim", slotDim);
        options.put("properties", properties);
        options.put("hidden", hidden);
        if (!attributes.isEmpty()) {
            options.put("firstAttribute", firstAttribute);
            options.put("attributes", attributes);
        }
        return options;
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link PropertyDecoder}. */
    public static final class Builder {
        private int slotDim;
        private int properties;
        private int hidden = 64;
        private int firstAttribute;
        private List<Integer> attributes = List.of();

        private Builder() {}

        /**
         * Sets the size of a slot.
         *
         * @param slotDim D, at least 1
         * @return this
         */
        public Builder setSlotDim(int slotDim) {
            this.slotDim = slotDim;
            return this;
        }

        /**
         * Sets how many numbers describe an object.
         *
         * @param properties P, at least 1
         * @return this
         */
        public Builder setProperties(int properties) {
            this.properties = properties;
            return this;
        }

        /**
         * Sets which numbers are probabilities of an attribute's values: they pass a softmax. The
         * others pass a sigmoid.
         *
         * @param first the place of the first attribute's first value
         * @param attributes for each attribute how many values it can have, each at least 1; they
         *     follow each other. Empty, as if not set, for sigmoids everywhere.
         * @return this
         */
        public Builder optAttributes(int first, List<Integer> attributes) {
            this.firstAttribute = first;
            this.attributes = List.copyOf(attributes);
            return this;
        }

        /**
         * Sets the size of the hidden layer.
         *
         * @param hidden at least 1; 64, as in the paper's code, if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Builds the decoder.
         *
         * @return the block
         * @throws IllegalArgumentException if a size is missing or below 1, or the attributes do
         *     not fit into the properties
         */
        public PropertyDecoder build() {
            check("slotDim", slotDim);
            check("properties", properties);
            check("hidden", hidden);
            int sum = 0;
            for (int values : attributes) {
                check("an attribute's number of values", values);
                sum += values;
            }
            Check.option(
                    firstAttribute >= 0 && firstAttribute + sum <= properties,
                    "PropertyDecoder: the attributes "
                            + attributes
                            + " from "
                            + firstAttribute
                            + " on do not fit into "
                            + properties
                            + " properties");
            return new PropertyDecoder(this);
        }

        private static void check(String what, int size) {
            Check.option(size > 0, "PropertyDecoder: " + what + " must be at least 1, got " + size);
        }
    }
}
