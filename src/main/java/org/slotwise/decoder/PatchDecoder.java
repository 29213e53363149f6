package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

/**
 * Decodes each slot to the features of all patches, by a perceptron on the slot and the patch's
 * learnt embedding; a softmax over slots settles which slot a patch is of.
 *
 * <p>Source: the MLP decoder of Seitzer et al., "Bridging the Gap to Real-World Object-Centric
 * Learning" (2023), section 3.2; {@code ocl.decoding.PatchDecoder} of the Object-Centric Learning
 * Framework.
 *
 * <pre>{@code
 * z = s + e                                       for slot s and patch embedding e
 * h = relu(W z + b)                               once for each hidden layer
 * f, a = W h + b                                  F features and 1 alpha
 * masks = softmax over slots of a
 * reconstruction = sum over slots of masks * f
 * }</pre>
 *
 * <ul>
 *   <li>slots (B, K, D), of the parameters' type; K may change from call to call.
 *   <li>reconstruction (B, N, F), masks (B, K, N).
 * </ul>
 *
 * <p>Differs from the source in the order of computation: the first layer is applied to slots and
 * embeddings before they are added, and the last one to the hidden layer's mean under the masks.
 * Both are linear, so that values agree up to rounding, and each is computed K times less often or
 * more. The features of single slots are never made.
 *
 * <p>Parameters: {@code pos_embed} (1, N, D), {@code decoder.0.weight}, {@code decoder.0.bias},
 * {@code decoder.2.weight}, ...; {@code inp_transform.weight} and {@code .bias} where slots are
 * first brought to another size. They start as the source's do.
 */
public final class PatchDecoder extends ConfiguredBlock {

    private final int slotDim;
    private final int featureDim;
    private final int patches;
    private final int[] hidden;
    private final @Nullable Integer inputDim;
    private final @Nullable Parameter inputWeight;
    private final @Nullable Parameter inputBias;
    private final Parameter embedding;
    private final List<Parameter> weights = new ArrayList<>();
    private final List<Parameter> biases = new ArrayList<>();

    private PatchDecoder(Builder builder) {
        slotDim = builder.slotDim;
        featureDim = builder.featureDim;
        patches = builder.patches;
        hidden = builder.hidden.clone();
        inputDim = builder.inputDim;
        int dim = inputDim == null ? slotDim : inputDim;
        if (inputDim == null) {
            inputWeight = null;
            inputBias = null;
        } else {
            Initializer start = StartingValues.xavier(slotDim, dim);
            inputWeight =
                    declare("inp_transform.weight", Parameter.Type.WEIGHT, start, dim, slotDim);
            inputBias = declare("inp_transform.bias", Parameter.Type.BIAS, Initializer.ZEROS, dim);
        }
        embedding =
                declare(
                        "pos_embed",
                        Parameter.Type.OTHER,
                        StartingValues.normal(0.02),
                        1,
                        patches,
                        dim);
        int in = dim;
        for (int i = 0; i <= hidden.length; i++) {
            int out = i < hidden.length ? hidden[i] : featureDim + 1;
            String name = "decoder." + 2 * i;
            Initializer start = StartingValues.linear(in);
            weights.add(declare(name + ".weight", Parameter.Type.WEIGHT, start, out, in));
            biases.add(declare(name + ".bias", Parameter.Type.BIAS, Initializer.ZEROS, out));
            in = out;
        }
    }

    /**
     * Decodes slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of the parameters' type
     * @param training whether to record a graph for gradients
     * @return features (B, N, F) and masks (B, K, N), owned by the manager of the slots
     * @throws IllegalArgumentException if the slots have another shape, type or device than the
     *     block expects
     */
    public FeatureDecoding decode(ParameterStore parameterStore, NDArray slots, boolean training) {
        AlphaComposition.checkSlots(who(), slots, slotDim);
        value(parameterStore, embedding, slots, training); // checks the slots' type and device
        fetchAll(parameterStore, this, slots, training);
        long widest = Arrays.stream(hidden).max().orElse(featureDim);
        long numbers = slots.getShape().get(1) * patches * widest;
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDList out =
                                ImageGroups.map(
                                        numbers,
                                        new NDList(slots),
                                        group ->
                                                decodeGroup(
                                                        parameterStore, group.head(), training));
                        out.forEach(array -> scope.keep(array, slots.getManager()));
                        return FeatureDecoding.from(out);
                    }
                });
    }

    private NDList decodeGroup(ParameterStore store, NDArray slots, boolean training) {
        int last = weights.size() - 1;
        NDArray h = slots; // (B, K, D)
        if (inputWeight != null && inputBias != null) {
            h =
                    Ops.linear(
                            h,
                            value(store, inputWeight, slots, training),
                            value(store, inputBias, slots, training));
        }
        NDArray e = value(store, embedding, slots, training); // (1, N, D)
        if (last > 0) {
            NDArray w = value(store, weights.get(0), slots, training);
            h = Ops.linear(h, w, value(store, biases.get(0), slots, training));
            e = Ops.linear(e, w, null);
        }
        h = h.expandDims(2).add(e); // (B, K, N, hidden)
        if (last > 0) {
            NDArray z =
                    PatchPerceptron.layers(
                            h,
                            weights.subList(1, last),
                            biases.subList(1, last),
                            p -> value(store, p, slots, training));
            h = Activation.relu(z);
            z.close();
        }
        NDArray w = value(store, weights.get(last), slots, training);
        NDArray b = value(store, biases.get(last), slots, training);
        NDArray alpha = Ops.linear(h, w.get("{}:", featureDim), b.get("{}:", featureDim));
        NDArray masks = alpha.squeeze(3).softmax(1); // (B, K, N)
        NDArray mixed = h.mul(masks.expandDims(3)).sum(new int[] {1}); // (B, N, hidden)
        NDArray reconstruction =
                Ops.linear(mixed, w.get("0:{}", featureDim), b.get("0:{}", featureDim));
        return new NDList(reconstruction, masks);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return AlphaComposition.SLOTS;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDArray slots = PerceptualGroupingOutput.from(inputs).objects();
        return decode(parameterStore, slots, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        Check.shape(who(), AlphaComposition.SLOTS, slots, "B", "K", slotDim);
        return new Shape[] {
            new Shape(slots.get(0), patches, featureDim),
            new Shape(slots.get(0), slots.get(1), patches)
        };
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("slotDim", slotDim);
        options.put("featureDim", featureDim);
        options.put("patches", patches);
        options.put("hidden", Arrays.toString(hidden));
        options.put("inputDim", inputDim);
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

    /** Describes a {@link PatchDecoder}. */
    public static final class Builder {
        private int slotDim;
        private int featureDim;
        private int patches;
        private int[] hidden = {1024, 1024, 1024};
        private @Nullable Integer inputDim;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
         *
         * @param slotDim at least 1
         * @return this
         */
        public Builder setSlotDim(int slotDim) {
            this.slotDim = slotDim;
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
         * Sets how many patches an image has, N.
         *
         * @param patches at least 1
         * @return this
         */
        public Builder setPatches(int patches) {
            this.patches = patches;
            return this;
        }

        /**
         * Sets the sizes of the hidden layers.
         *
         * @param hidden each at least 1; none for a linear decoder; 1024, 1024, 1024 if not set, as
         *     the source for MOVi, which has 2048 for photographs
         * @return this
         */
        public Builder optHidden(int... hidden) {
            this.hidden = hidden.clone();
            return this;
        }

        /**
         * Sets the size to which slots are brought before the embeddings are added.
         *
         * @param inputDim at least 1; if not set slots are taken as they are
         * @return this
         */
        public Builder optInputDim(int inputDim) {
            this.inputDim = inputDim;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public PatchDecoder build() {
            String who = "PatchDecoder";
            Check.atLeast(who, "slotDim", slotDim, 1);
            Check.atLeast(who, "featureDim", featureDim, 1);
            Check.atLeast(who, "patches", patches, 1);
            Check.option(
                    Arrays.stream(hidden).allMatch(size -> size > 0),
                    who + ": hidden must be at least 1, got " + Arrays.toString(hidden));
            Check.option(
                    inputDim == null || inputDim > 0,
                    who + ": inputDim must be at least 1, got " + inputDim);
            return new PatchDecoder(this);
        }
    }
}
