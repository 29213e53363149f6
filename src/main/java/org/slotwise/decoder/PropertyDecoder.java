package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Options;
import org.slotwise.layer.Perceptron;

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
public final class PropertyDecoder extends DecoderBlock {

    private final int properties;
    private final int hidden;
    private final int firstAttribute;
    private final List<Integer> attributes;
    private final Perceptron perceptron;

    private PropertyDecoder(Builder builder) {
        super(builder);
        properties = builder.properties;
        hidden = builder.hidden;
        firstAttribute = builder.firstAttribute;
        attributes = builder.attributes;
        perceptron = Perceptron.of(declarer().under("mlp"), slotDim, hidden, 1, properties);
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
        checked(slots);
        return compute(
                        parameterStore,
                        slots,
                        training,
                        pass -> new NDList(squashed(perceptron.apply(pass, slots))))
                .head();
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

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        return new NDList(decode(store, Inputs.only(who(), SLOTS, inputs), training));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape slots = checked(inputShapes[0]);
        return new Shape[] {new Shape(slots.get(0), slots.get(1), properties)};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("properties", properties)
                .and("hidden", hidden)
                .andUnless(attributes.isEmpty(), "firstAttribute", firstAttribute)
                .andUnless(attributes.isEmpty(), "attributes", attributes);
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
    public static final class Builder extends DecoderBlock.Builder<Builder> {
        private int properties;
        private int hidden = 64;
        private int firstAttribute;
        private List<Integer> attributes = List.of();

        private Builder() {}

        @Override
        Builder self() {
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
            String who = "PropertyDecoder";
            check(who);
            Check.atLeast(who, "properties", properties, 1);
            Check.atLeast(who, "hidden", hidden, 1);
            long sum = 0;
            for (int values : attributes) {
                Check.atLeast(who, "an attribute's number of values", values, 1);
                sum += values;
            }
            Check.option(
                    firstAttribute >= 0 && firstAttribute + sum <= properties,
                    who
                            + ": the attributes "
                            + attributes
                            + " from "
                            + firstAttribute
                            + " on do not fit into "
                            + properties
                            + " properties");
            return new PropertyDecoder(this);
        }
    }
}
