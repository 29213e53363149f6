package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;

/**
 * A vision transformer, whose features are the tokens of an image's patches: the network of which
 * DINOSAUR groups the features.
 *
 * <p>Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021); with scaled layers Touvron
 * et al., "Going deeper with Image Transformers" (2021); with registers Darcet et al., "Vision
 * Transformers Need Registers" (2024). In the form of timm's {@code VisionTransformer}, whose
 * parameter names it uses.
 *
 * <pre>{@code
 * x = [class, registers, patches W + b + places]           class + its place, if it has one
 * x = layer(x)                                             each layer
 * features = LayerNorm(x), of the patches
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) of the architecture's size and the parameters' type, normalised as the
 *       network was trained; for timm's that is said in its {@code pretrained_cfg}, mean and std.
 *   <li>features (B, N, D), N = H W / P², row by row; positions (N, 2).
 * </ul>
 *
 * <p>Parameters: {@code cls_token}, {@code reg_token}, {@code pos_embed}, {@code
 * patch_embed.proj.*}, {@code blocks.i.*}, {@code norm.*}. A classifier's {@code head.*} has no
 * place here: leave it out in reading. Weights start from a normal distribution of deviation 0.02,
 * biases at 0, as timm's, which cuts the distribution off.
 *
 * <p>timm's network makes its places fit other image sizes on request; here they are of the size
 * that was described.
 */
public final class VisionTransformer extends EncoderBlock {

    /** How weights start. */
    static final Initializer START = StartingValues.normal(0.02);

    private static final double CLASS_START = 1e-6;

    private final VisionTransformerArchitecture sizes;
    private final boolean lastNorm;
    private final double normEps;
    private final Parameter classToken;
    private final @Nullable Parameter registers;
    private final Parameter places;
    private final Convolution patches;
    private final List<VisionTransformerLayer> layers = new ArrayList<>();
    private final @Nullable LayerNorm norm;

    private VisionTransformer(Builder builder, VisionTransformerArchitecture sizes) {
        this.sizes = sizes;
        lastNorm = builder.lastNorm;
        normEps = builder.normEps;
        int dim = sizes.dim();
        classToken =
                declarer().other("cls_token", StartingValues.normal(CLASS_START), true, 1, 1, dim);
        registers =
                sizes.registers() == 0
                        ? null
                        : declarer()
                                .other(
                                        "reg_token",
                                        StartingValues.normal(CLASS_START),
                                        true,
                                        1,
                                        sizes.registers(),
                                        dim);
        int placed = sizes.patches() + (sizes.classPlace() ? 1 : 0);
        places = declarer().other("pos_embed", START, true, 1, placed, dim);
        patches =
                Convolution.of(
                        declarer().under("patch_embed").under("proj"),
                        FeatureMap.CHANNELS,
                        dim,
                        Window.valid(sizes.patch()).withStride(sizes.patch()),
                        START,
                        Initializer.ZEROS);
        for (int i = 0; i < sizes.depth(); i++) {
            layers.add(
                    new VisionTransformerLayer(
                            declarer().under("blocks").under("" + i), sizes, normEps));
        }
        norm = lastNorm ? LayerNorm.of(declarer().under("norm"), dim, normEps) : null;
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        outputShapes(new Shape[] {images.getShape()});
        long numbers = (long) (sizes.patches() + 1 + sizes.registers()) * sizes.hidden();
        NDList out =
                compute(
                        parameterStore,
                        images,
                        training,
                        pass -> {
                            NDList features =
                                    ImageGroups.map(
                                            numbers,
                                            new NDList(images),
                                            some -> new NDList(features(pass, some.head())));
                            long rows = sizes.height() / sizes.patch();
                            long columns = sizes.width() / sizes.patch();
                            return new NDList(
                                    features.head(), FeatureMap.positions(images, rows, columns));
                        });
        return new FeatureExtractorOutput(out.get(0), out.get(1));
    }

    private NDArray features(Pass pass, NDArray images) {
        NDArray x = tokens(pass, FeatureMap.features(patches.apply(pass, images)));
        for (VisionTransformerLayer layer : layers) {
            try (NDArray before = x) {
                x = layer.apply(pass, before);
            }
        }
        long first = 1L + sizes.registers();
        NDArray seen = x.get(":, {}:", first);
        return norm == null ? seen : norm.apply(pass, seen);
    }

    /** [class, registers, patches] with their places, (B, 1 + R + N, D). */
    private NDArray tokens(Pass pass, NDArray x) {
        long batch = x.getShape().get(0);
        NDArray p = pass.value(places);
        UnaryOperator<NDArray> everywhere =
                token -> token.broadcast(new Shape(batch, token.getShape().get(1), sizes.dim()));
        NDList tokens = new NDList(everywhere.apply(pass.value(classToken)));
        if (sizes.classPlace()) {
            tokens.set(0, tokens.get(0).add(p.get(":, :1")));
            p = p.get(":, 1:");
        }
        if (registers != null) {
            tokens.add(everywhere.apply(pass.value(registers)));
        }
        tokens.add(x.add(p));
        return NDArrays.concat(tokens, 1);
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return sizes.dim();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(
                who(),
                FeatureMap.IMAGES,
                inputShapes[0],
                "B",
                FeatureMap.CHANNELS,
                sizes.height(),
                sizes.width());
        return new Shape[] {
            new Shape(inputShapes[0].get(0), sizes.patches(), sizes.dim()),
            new Shape(sizes.patches(), 2)
        };
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("architecture", sizes)
                .andUnless(lastNorm, "lastNorm", false)
                .andUnless(normEps == Builder.NORM_EPS, "normEps", normEps);
    }

    /**
     * Starts the description of a network.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link VisionTransformer}. */
    public static final class Builder {
        private static final double NORM_EPS = 1e-6;

        private @Nullable VisionTransformerArchitecture architecture;
        private boolean lastNorm = true;
        private double normEps = NORM_EPS;

        private Builder() {}

        /**
         * Sets the sizes.
         *
         * @param architecture {@link VisionTransformerArchitecture#small} for instance
         * @return this
         */
        public Builder setArchitecture(VisionTransformerArchitecture architecture) {
            this.architecture = architecture;
            return this;
        }

        /**
         * Sets whether features are normalised after the last layer.
         *
         * @param lastNorm true if not set, as in timm's {@code forward_features}; false for what
         *     the last block gives, as DINOSAUR takes it
         * @return this
         */
        public Builder optLastNorm(boolean lastNorm) {
            this.lastNorm = lastNorm;
            return this;
        }

        /**
         * Sets what the layer normalisations add to the variance.
         *
         * @param normEps from 1e-30 to 1; 1e-6 if not set, as in timm's
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
         * @throws IllegalArgumentException if the architecture is missing, or normEps out of range
         */
        public VisionTransformer build() {
            String who = "VisionTransformer";
            if (architecture == null) {
                throw new IllegalArgumentException(who + ": architecture is missing");
            }
            Limits.normEps(who, "normEps", normEps);
            return new VisionTransformer(this, architecture);
        }
    }
}
