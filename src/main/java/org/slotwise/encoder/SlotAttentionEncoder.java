package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Perceptron;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.LoadedScript;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * The encoder of Slot Attention: a convolutional backbone, a positional embedding, and a perceptron
 * on each feature.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), section 2.2
 * and appendix E.3. With a {@link ResNetEncoder} as backbone it is the encoder that others use for
 * richer images.
 *
 * <pre>{@code
 * x = backbone(images) + W [p, 1 - p] + b          p: the features' positions
 * features = W2 relu(W1 LayerNorm(x) + b1) + b2
 * }</pre>
 *
 * <p>By options the positions are joined to the backbone's features instead, {@code x =
 * [backbone(images), p, 1 - p]}; the layer normalisation is left out; the ReLU is leaky.
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type.
 *   <li>features (B, N, F), F the output size; positions (N, 2) and auxiliary features as the
 *       backbone gives them.
 * </ul>
 *
 * <p>Parameters: {@code backbone.*}, {@code positional_embedding.dense.weight} and {@code .bias},
 * {@code norm.weight} and {@code .bias}, {@code mlp.0.*} for W1 and b1, {@code mlp.2.*} for W2 and
 * b2. The paper's own code starts from Glorot's values and zero biases, this class as PyTorch does.
 */
public final class SlotAttentionEncoder extends EncoderBlock implements Scriptable {

    /** How many numbers [p, 1 - p] has. */
    private static final int JOINED = 4;

    private final FeatureExtractor backbone;
    private final @Nullable SoftPositionEmbed positionalEmbedding;
    private final int hidden;
    private final int featureDim;
    private final @Nullable LayerNorm norm;
    private final LeakyRelu activation;
    private final Perceptron perceptron;
    private final LoadedByType whole = LoadedByType.of(this::script);

    private SlotAttentionEncoder(Builder builder, FeatureExtractor backbone) {
        this.backbone = backbone;
        int dim = backbone.featureDim();
        hidden = builder.hidden == null ? dim : builder.hidden;
        featureDim = builder.featureDim == null ? dim : builder.featureDim;
        addChildBlock("backbone", backbone);
        positionalEmbedding =
                builder.joinedPositions
                        ? null
                        : addChildBlock(
                                "positional_embedding",
                                SoftPositionEmbed.builder()
                                        .setSpatialDims(2)
                                        .setFeatureDim(dim)
                                        .build());
        int placed = builder.joinedPositions ? dim + JOINED : dim;
        norm =
                builder.normalized
                        ? LayerNorm.of(declarer().under("norm"), placed, builder.normEps)
                        : null;
        activation = new LeakyRelu(builder.negativeSlope);
        perceptron =
                Perceptron.of(declarer().under("mlp"), placed, hidden, 1, featureDim, activation);
    }

    /**
     * The paper's encoder for CLEVR: four convolutions of 64 channels at full resolution, features
     * of size 64.
     *
     * @return a new block
     */
    public static SlotAttentionEncoder clevr() {
        return of(ConvolutionalEncoder.builder().build());
    }

    /**
     * The paper's encoder for set prediction on CLEVR: as {@link #clevr()}, with a stride of 2 in
     * the second and third layer, so that a sixteenth of the features is left.
     *
     * @return a new block
     */
    public static SlotAttentionEncoder clevrStrided() {
        return of(ConvolutionalEncoder.builder().optStrides(1, 2, 2, 1).build());
    }

    /**
     * The paper's encoder for Tetrominoes: four convolutions of 32 channels at full resolution,
     * features of size 32.
     *
     * @return a new block
     */
    public static SlotAttentionEncoder tetrominoes() {
        return of(ConvolutionalEncoder.builder().optChannels(32, 32, 32, 32).build());
    }

    /**
     * The paper's encoder for Multi-dSprites, the same as for {@linkplain #tetrominoes
     * Tetrominoes}.
     *
     * @return a new block
     */
    public static SlotAttentionEncoder multiDSprites() {
        return tetrominoes();
    }

    private static SlotAttentionEncoder of(FeatureExtractor backbone) {
        return builder().setBackbone(backbone).build();
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        fetchAll(parameterStore, images, training); // checks the images' type and device
        if (!training && backbone instanceof ConvolutionalBlock convolutions) {
            if (convolutions.isOneGroup(images)) {
                return extractInOneCall(parameterStore, images);
            }
        }
        return extractInParts(parameterStore, images, training);
    }

    /**
     * Features and positions of few images by the equations as a whole, where they can be taken.
     */
    private FeatureExtractorOutput extractInOneCall(ParameterStore store, NDArray images) {
        LoadedScript script = whole.of(images);
        NDList out =
                compute(
                        store,
                        images,
                        false,
                        pass ->
                                script.fits(pass, images)
                                        ? script.call("forward", images)
                                        : new NDList());
        return out.isEmpty()
                ? extractInParts(store, images, false)
                : new FeatureExtractorOutput(
                        out.get(FeatureExtractorOutput.FEATURES),
                        out.get(FeatureExtractorOutput.POSITIONS));
    }

    private FeatureExtractorOutput extractInParts(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureExtractorOutput raw = backbone.extract(parameterStore, images, training);
        try (NDArray x = raw.features()) {
            long batch = images.getShape().get(0);
            Check.shape(who(), "the backbone's features", x, batch, "N", backbone.featureDim());
            NDList out =
                    compute(
                            parameterStore,
                            images,
                            training,
                            pass -> new NDList(perceive(pass, x, raw.positions())));
            return new FeatureExtractorOutput(out.head(), raw.positions(), raw.auxFeatures());
        }
    }

    private NDArray perceive(Pass pass, NDArray x, @Nullable NDArray positions) {
        NDArray placed = placed(pass, x, positions);
        return perceptron.apply(pass, norm == null ? placed : norm.apply(pass, placed));
    }

    private NDArray placed(Pass pass, NDArray x, @Nullable NDArray positions) {
        if (positionalEmbedding != null) {
            return positionalEmbedding.embed(pass.store(), x, positions, pass.training());
        }
        NDArray p = Check.shape(who(), "the backbone's positions", positions, "N", 2);
        Shape s = x.getShape();
        NDArray code = NDArrays.concat(new NDList(p, Scalars.like(p, 1).sub(p)), 1);
        NDArray everywhere = code.expandDims(0).broadcast(s.get(0), s.get(1), JOINED);
        return NDArrays.concat(new NDList(x, everywhere), 2);
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return featureDim;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        FeatureMap.checkImages(who(), inputShapes[0]);
        Shape[] shapes = backbone.getOutputShapes(new Shape[] {inputShapes[0]}).clone();
        shapes[0] = new Shape(shapes[0].get(0), shapes[0].get(1), featureDim);
        return shapes;
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        backbone.initialize(manager, dataType, inputShapes);
        if (positionalEmbedding != null) {
            positionalEmbedding.initialize(
                    manager, dataType, new Shape(-1, -1, backbone.featureDim()), new Shape(-1, 2));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("backbone", backbone.getClass().getSimpleName())
                .and("backboneDim", backbone.featureDim())
                .and("hidden", hidden)
                .and("featureDim", featureDim)
                .andUnless(positionalEmbedding != null, "joinedPositions", true)
                .andUnless(norm != null, "norm", false)
                .andUnless(activation.slope() == 0, "negativeSlope", activation.slope());
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        String placed =
                positionalEmbedding == null
                        ? "self.join.forward(x, p)"
                        : "self.positional_embedding.forward(x, p)";
        return ScriptModule.builder("SlotAttentionEncoder")
                .module("backbone", ScriptModule.of(who(), backbone))
                .module(
                        "positional_embedding",
                        positionalEmbedding == null ? null : positionalEmbedding.script())
                .module("join", positionalEmbedding == null ? joined() : null)
                .module("norm", norm == null ? null : norm.script())
                .module("mlp", perceptron.script())
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          raw = self.backbone.forward(images)
                          p = torch.__getitem__(raw, "positions")
                          x = torch.__getitem__(raw, "features")
                          y = %s
                          return {"features": self.mlp.forward(%s), "positions": p}
                        """
                                .formatted(placed, norm == null ? "y" : "self.norm.forward(y)"))
                .build();
    }

    /** [x, p, 1 - p]. */
    private static ScriptModule joined() {
        return ScriptModule.builder("Join")
                .setCode(
                        """
                        def forward(self, x: Tensor, p: Tensor) -> Tensor:
                          c = torch.unsqueeze(torch.cat([p, torch.rsub(p, 1)], 1), 0)
                          return torch.cat([x, torch.expand(c, [torch.size(x, 0), -1, -1])], 2)
                        """)
                .build();
    }

    /**
     * Starts the description of an encoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotAttentionEncoder}. */
    public static final class Builder {
        private @Nullable FeatureExtractor backbone;
        private @Nullable Integer hidden;
        private @Nullable Integer featureDim;
        private double normEps = LayerNorm.EPS;
        private boolean normalized = true;
        private boolean joinedPositions;
        private double negativeSlope;

        private Builder() {}

        /**
         * Sets what the features come from, a {@link ConvolutionalEncoder} or {@link ResNetEncoder}
         * for instance.
         *
         * @param backbone an extractor that gives positions
         * @return this
         */
        public Builder setBackbone(FeatureExtractor backbone) {
            this.backbone = backbone;
            return this;
        }

        /**
         * Sets the size of the perceptron's hidden layer.
         *
         * @param hidden at least 1; the backbone's feature size if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1; the backbone's feature size if not set
         * @return this
         */
        public Builder optFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return this;
        }

        /**
         * Sets what the layer normalisation adds to the variance.
         *
         * @param normEps from 1e-30 to 1; 1e-5 if not set, as in PyTorch. Keras has 1e-3
         * @return this
         */
        public Builder optNormEps(double normEps) {
            this.normEps = normEps;
            return this;
        }

        /**
         * Sets whether features are normalised before the perceptron.
         *
         * @param norm true if not set, as in the paper
         * @return this
         */
        public Builder optNorm(boolean norm) {
            this.normalized = norm;
            return this;
        }

        /**
         * Sets whether positions are joined to the backbone's features, rather than embedded and
         * added to them.
         *
         * @param joinedPositions false if not set, as in the paper
         * @return this
         */
        public Builder optJoinedPositions(boolean joinedPositions) {
            this.joinedPositions = joinedPositions;
            return this;
        }

        /**
         * Sets the slope of the activations below zero: leaky ReLUs.
         *
         * @param negativeSlope from 0 to 1; 0 if not set, for ReLUs; 0.01 in PyTorch's LeakyReLU
         * @return this
         */
        public Builder optNegativeSlope(double negativeSlope) {
            this.negativeSlope = negativeSlope;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if there is no backbone, or a size is below 1
         */
        public SlotAttentionEncoder build() {
            String who = "SlotAttentionEncoder";
            if (backbone == null) {
                throw new IllegalArgumentException(who + ": backbone is missing");
            }
            Check.option(
                    hidden == null || hidden > 0,
                    who + ": hidden must be at least 1, got " + hidden);
            Check.option(
                    featureDim == null || featureDim > 0,
                    who + ": featureDim must be at least 1, got " + featureDim);
            Limits.normEps(who, "normEps", normEps);
            return new SlotAttentionEncoder(this, backbone);
        }
    }
}
