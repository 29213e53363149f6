package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
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
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Perceptron;
import org.slotwise.position.SoftPositionEmbed;
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

    private final FeatureExtractor backbone;
    private final SoftPositionEmbed positionalEmbedding;
    private final int hidden;
    private final int featureDim;
    private final LayerNorm norm;
    private final Perceptron perceptron;

    private SlotAttentionEncoder(Builder builder, FeatureExtractor backbone) {
        this.backbone = backbone;
        int dim = backbone.featureDim();
        hidden = builder.hidden == null ? dim : builder.hidden;
        featureDim = builder.featureDim == null ? dim : builder.featureDim;
        positionalEmbedding =
                SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(dim).build();
        addChildBlock("backbone", backbone);
        addChildBlock("positional_embedding", positionalEmbedding);
        norm = LayerNorm.of(declarer().under("norm"), dim, builder.normEps);
        perceptron = Perceptron.of(declarer().under("mlp"), dim, hidden, 1, featureDim);
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
        NDArray placed = positionalEmbedding.embed(pass.store(), x, positions, pass.training());
        return perceptron.apply(pass, norm.apply(pass, placed));
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
        positionalEmbedding.initialize(
                manager, dataType, new Shape(-1, -1, backbone.featureDim()), new Shape(-1, 2));
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("backbone", backbone.getClass().getSimpleName())
                .and("backboneDim", backbone.featureDim())
                .and("hidden", hidden)
                .and("featureDim", featureDim);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("SlotAttentionEncoder")
                .module("backbone", ScriptModule.of(who(), backbone))
                .module("positional_embedding", ScriptModule.of(who(), positionalEmbedding))
                .module("norm", ScriptModule.of(who(), norm))
                .module("mlp", perceptron.script())
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          raw = self.backbone.forward(images)
                          p = torch.__getitem__(raw, "positions")
                          x = self.positional_embedding.forward(torch.__getitem__(raw, "features"), p)
                          return {"features": self.mlp.forward(self.norm.forward(x)), "positions": p}
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
