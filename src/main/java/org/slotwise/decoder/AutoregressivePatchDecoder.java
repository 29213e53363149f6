package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/**
 * Decodes slots to the features of all patches, one after the other: a transformer predicts each
 * feature from the true ones before it and from the slots, and its attention to the slots says
 * which slot a patch is of.
 *
 * <p>Source: the autoregressive decoder of Seitzer et al., "Bridging the Gap to Real-World
 * Object-Centric Learning" (2023), section 3.2, after Singh et al., "Illiterate DALL-E Learns to
 * Compose" (2022); {@code ocl.decoding.AutoregressivePatchDecoder} of the Object-Centric Learning
 * Framework.
 *
 * <pre>{@code
 * x = [first, features 1 ... N - 1]                a learnt vector, then what there is to see
 * x = LayerNorm(Wi x)                              if asked for
 * x = x + e                                        e embeddings of patches, if asked for
 * m = LayerNorm(Wc slots)                          without Wc if not asked for
 * y, masks = transformer(x, m)
 * reconstruction = Wo y + bo                       y itself where it has the features' size
 * }</pre>
 *
 * <ul>
 *   <li>slots (B, K, D) and features (B, N, F), of the parameters' type; K and, without embeddings,
 *       N may change from call to call.
 *   <li>reconstruction (B, N, F), masks (B, K, N).
 * </ul>
 *
 * <p>No gradient reaches the features: they are what is to be predicted. The prediction of patch n
 * sees features before n alone. As the true features are needed, this decoder reconstructs
 * features; it does not make new ones.
 *
 * <p>Parameters: {@code bos_token} (1, 1, F), {@code cond_transform.0.weight}, {@code
 * cond_transform.1.*} ({@code cond_transform.*} without Wc), {@code inp_transform.0.weight}, {@code
 * inp_transform.1.*}, {@code pos_embed} (1, N, E), {@code outp_transform.*}, {@code decoder.*}; E
 * is the transformer's size. The source's state dict also has a constant, {@code mask}: leave it
 * out.
 */
public final class AutoregressivePatchDecoder extends FeatureDecoder {

    private static final String FEATURES = FeatureExtractorOutput.FEATURES;

    private final @Nullable Integer patches;
    private final boolean inputTransform;
    private final boolean slotTransform;
    private final TransformerDecoder transformer;
    private final Parameter first;
    private final Layer slotLayers;
    private final Layer inputLayers;
    private final @Nullable Parameter embedding;
    private final Layer output;

    private AutoregressivePatchDecoder(Builder builder, TransformerDecoder transformer) {
        super(builder);
        patches = builder.patches;
        inputTransform = builder.inputTransform;
        slotTransform = builder.slotTransform;
        this.transformer = transformer;
        int dim = transformer.dim();
        Declarer own = declarer();
        first =
                own.other(
                        "bos_token",
                        StartingValues.normal(1 / Math.sqrt(featureDim)),
                        true,
                        1,
                        1,
                        featureDim);
        Declarer slots = own.under("cond_transform");
        slotLayers = slotTransform ? projection(slots, slotDim, dim) : LayerNorm.of(slots, dim);
        inputLayers =
                inputTransform
                        ? projection(own.under("inp_transform"), featureDim, dim)
                        : Layer.NONE;
        embedding =
                patches == null
                        ? null
                        : own.other(
                                "pos_embed",
                                StartingValues.normal(1 / Math.sqrt(dim)),
                                true,
                                1,
                                patches,
                                dim);
        output =
                dim == featureDim
                        ? Layer.NONE
                        : Linear.of(
                                own.under("outp_transform"),
                                dim,
                                featureDim,
                                StartingValues.xavier(dim, featureDim),
                                Initializer.ZEROS);
        addChildBlock("decoder", transformer);
    }

    /** LayerNorm(W x). */
    private static Layer projection(Declarer parameters, int in, int dim) {
        Initializer xavier = StartingValues.xavier(in, dim);
        Linear linear = Linear.of(parameters.under("0"), in, dim, xavier, null);
        LayerNorm norm = LayerNorm.of(parameters.under("1"), dim);
        return (pass, x) -> norm.apply(pass, linear.apply(pass, x));
    }

    /**
     * Decodes slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of the parameters' type
     * @param features (B, N, F), what is to be reconstructed
     * @param training whether to record a graph for gradients
     * @return features (B, N, F) and masks (B, K, N), owned by the manager of the slots
     * @throws IllegalArgumentException if an input has another shape, type or device than the block
     *     expects
     */
    public FeatureDecoding decode(
            ParameterStore parameterStore, NDArray slots, NDArray features, boolean training) {
        checked(slots);
        Object n = patches == null ? "N" : patches;
        Check.shape(who(), FEATURES, features, slots.getShape().get(0), n, featureDim);
        Check.sameTypeAndDevice(who(), FEATURES, features, SLOTS, slots);
        long numbers = transformer.largest(features.getShape().get(1));
        return FeatureDecoding.from(
                compute(
                        parameterStore,
                        slots,
                        training,
                        pass ->
                                ImageGroups.map(
                                        numbers,
                                        new NDList(features, slots),
                                        group -> decodeGroup(pass, group.get(0), group.get(1)))));
    }

    private NDList decodeGroup(Pass pass, NDArray features, NDArray slots) {
        NDArray x = inputLayers.apply(pass, shifted(features.stopGradient(), pass.value(first)));
        if (embedding != null) {
            x = x.add(pass.value(embedding));
        }
        NDArray m = slotLayers.apply(pass, slots);
        NDList out = transformer.decode(pass.store(), x, m, pass.training());
        return new NDList(output.apply(pass, out.get(0)), out.get(1));
    }

    /** The learnt first vector, then all features but the last: (B, N, F). */
    private static NDArray shifted(NDArray features, NDArray first) {
        Shape s = features.getShape();
        NDArray start = first.broadcast(s.get(0), 1, s.get(2));
        return s.get(1) == 1
                ? start
                : NDArrays.concat(new NDList(start, features.get(":, :{}", s.get(1) - 1)), 1);
    }

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        NDList others = new NDList(inputs);
        NDArray features = inputs.get(FEATURES);
        if (features == null && inputs.size() > 1) {
            features = inputs.get(inputs.size() - 1);
        }
        NDArray target = Check.present(who(), FEATURES, features);
        others.removeIf(array -> array == target);
        NDArray slots = PerceptualGroupingOutput.from(others).objects();
        return decode(store, slots, target, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape slots = checked(inputShapes[0]);
        Shape features = inputShapes[inputShapes.length - 1];
        Object n = patches == null ? "N" : patches;
        Check.shape(who(), FEATURES, features, slots.get(0), n, featureDim);
        return new Shape[] {features, new Shape(slots.get(0), slots.get(1), features.get(1))};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("featureDim", featureDim)
                .and("patches", patches)
                .and("inputTransform", inputTransform)
                .and("slotTransform", slotTransform);
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link AutoregressivePatchDecoder}. */
    public static final class Builder extends FeatureDecoder.Builder<Builder> {
        private @Nullable TransformerDecoder transformer;
        private boolean inputTransform = true;
        private boolean slotTransform = true;
        private @Nullable Integer patches;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the transformer.
         *
         * @param transformer of any size; the features' size, with 4 layers of 8 heads as in the
         *     source, if not set
         * @return this
         */
        public Builder optTransformer(TransformerDecoder transformer) {
            this.transformer = transformer;
            return this;
        }

        /**
         * Sets whether features are projected and normalised before the transformer.
         *
         * @param inputTransform true if not set; false only if the transformer has the features'
         *     size
         * @return this
         */
        public Builder optInputTransform(boolean inputTransform) {
            this.inputTransform = inputTransform;
            return this;
        }

        /**
         * Sets whether slots are projected before they are normalised.
         *
         * @param slotTransform true if not set; false only if the transformer has the slots' size
         * @return this
         */
        public Builder optSlotTransform(boolean slotTransform) {
            this.slotTransform = slotTransform;
            return this;
        }

        /**
         * Sets that patches have learnt embeddings, and how many there are.
         *
         * @param patches N, at least 1; no embeddings if not set, as in the source
         * @return this
         */
        public Builder optPositions(int patches) {
            this.patches = patches;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public AutoregressivePatchDecoder build() {
            String who = "AutoregressivePatchDecoder";
            check(who);
            Check.option(
                    patches == null || patches > 0,
                    who + ": positions must be at least 1, got " + patches);
            TransformerDecoder layers = transformer;
            if (layers == null) {
                layers = TransformerDecoder.builder().setDim(featureDim).build();
            }
            int dim = layers.dim();
            Check.option(
                    inputTransform || dim == featureDim,
                    who
                            + ": without inputTransform the transformer's size must be "
                            + featureDim
                            + ", got "
                            + dim);
            Check.option(
                    slotTransform || dim == slotDim,
                    who
                            + ": without slotTransform the transformer's size must be "
                            + slotDim
                            + ", got "
                            + dim);
            return new AutoregressivePatchDecoder(this, layers);
        }
    }
}
