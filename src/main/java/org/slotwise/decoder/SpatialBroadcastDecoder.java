package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.ConvolutionStack;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.position.PositionGrid;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.LoadedScript;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Decodes each slot by itself: puts it at every place of a grid, adds a positional embedding, and
 * makes an image and an alpha channel of it by convolutions.
 *
 * <p>Source: Watters et al., "Spatial Broadcast Decoder" (2019); in the form of Locatello et al.,
 * "Object-Centric Learning with Slot Attention" (2020), section 2.2 and appendix E.3, and of OCLF's
 * {@code SlotAttentionDecoder}, whose parameter names it uses: {@code
 * positional_embedding.dense.weight} and {@code .bias}, and for layer i, counted from 0, {@code
 * decoder.2i.weight} and {@code decoder.2i.bias}; weights are (out, in, kernel, kernel), of
 * transposed convolutions (in, out, kernel, kernel).
 *
 * <pre>{@code
 * x[p] = slot + W [p, 1 - p] + b                   at each place p of the grid
 * x = layer(x)                                     with a ReLU between each two layers
 * rgb, a = x                                       3 channels and 1
 * masks = softmax over slots of a
 * reconstruction = sum over slots of masks * rgb
 * }</pre>
 *
 * <p>By options the grid is joined to the slot instead, {@code x[p] = [slot, p, 1 - p]}, as in
 * Watters et al.'s own decoder, and the ReLUs are leaky.
 *
 * <ul>
 *   <li>slots (B, K, D), of the parameters' type; D is 64 in the paper.
 *   <li>reconstruction (B, 3, H, W), slot images (B, K, 3, H, W), masks (B, K, H, W). Colours have
 *       no fixed range.
 * </ul>
 *
 * <p>Transposed convolutions are aligned as in PyTorch: with a kernel of 5 and a stride of 2 the
 * paper's own code, in TensorFlow, lies one pixel further down and right. Where the first layer is
 * a plain convolution, the grids of slots are never made (see the source); results are equal up to
 * rounding. Weights and biases start as PyTorch's Conv2d and ConvTranspose2d do.
 */
public final class SpatialBroadcastDecoder extends ImageDecoder implements Scriptable {

    /** How many numbers [p, 1 - p] has. */
    private static final int JOINED = 4;

    private final BroadcastArchitecture architecture;
    private final @Nullable SoftPositionEmbed positionalEmbedding;
    private final LeakyRelu activation;
    private final ConvolutionStack layers;
    private final LoadedByType whole = LoadedByType.of(this::script);

    private SpatialBroadcastDecoder(Builder builder, BroadcastArchitecture architecture) {
        super(
                builder,
                architecture.height() * architecture.stride(),
                architecture.width() * architecture.stride());
        this.architecture = architecture;
        activation = new LeakyRelu(builder.negativeSlope);
        positionalEmbedding =
                builder.joinedGrid
                        ? null
                        : addChildBlock(
                                "positional_embedding",
                                SoftPositionEmbed.builder()
                                        .setSpatialDims(2)
                                        .setFeatureDim(slotDim)
                                        .build());
        int broadcast = builder.joinedGrid ? slotDim + JOINED : slotDim;
        layers = architecture.stack(declarer().under("decoder"), broadcast, activation);
    }

    @Override
    NDList decode(Pass pass, NDArray slots) {
        long numbers = slots.getShape().get(1) * architecture.largest();
        LoadedScript script = whole.of(slots);
        // With gradients the layers one by one are faster: a step of Tetrominoes takes a seventh
        // less.
        if (!pass.training() && script.fits(pass, slots)) {
            return ImageGroups.map(
                    numbers,
                    new NDList(slots),
                    some -> AlphaComposition.inOrder(script.call("forward", some.head())));
        }
        NDArray embedding = embedding(pass, slots);
        return ImageGroups.map(
                numbers,
                new NDList(slots),
                some -> AlphaComposition.compose(channels(pass, some.head(), embedding)));
    }

    /** All layers: (B, K, 4, H, W) for slots (B, K, D). Of each layer only its result lives on. */
    private NDArray channels(Pass pass, NDArray slots, NDArray embedding) {
        NDArray x = layers.applyToHidden(pass, firstLayer(pass, slots, embedding));
        Shape s = slots.getShape();
        return x.reshape(s.get(0), s.get(1), AlphaComposition.CHANNELS, height, width);
    }

    /** Broadcasts slots (B, K, D), adds the embedding (1, D, h, w) and applies the first layer. */
    private NDArray firstLayer(Pass pass, NDArray slots, NDArray embedding) {
        int h = architecture.height();
        int w = architecture.width();
        NDArray vectors = slots.reshape(-1, slotDim); // (B K, D)
        if (positionalEmbedding == null) {
            try (NDArray x = joined(vectors, embedding, h, w)) {
                return layers.first().apply(pass, x);
            }
        }
        if (layers.first() instanceof Convolution first
                && BroadcastConvolution.fits(h, w, architecture.layers().get(0).kernel())) {
            // conv(slot + embedding) = conv(slot) + conv(embedding)
            try (NDArray y = BroadcastConvolution.apply(vectors, first.weight(pass), h, w)) {
                return y.add(first.apply(pass, embedding));
            }
        }
        try (NDArray x = vectors.reshape(-1, slotDim, 1, 1).add(embedding)) { // (B K, D, h, w)
            return layers.first().apply(pass, x);
        }
    }

    /** [slot, p, 1 - p] at each place, (B K, D + 4, h, w). */
    private NDArray joined(NDArray vectors, NDArray code, int h, int w) {
        long count = vectors.getShape().get(0);
        NDArray everywhere = vectors.reshape(-1, slotDim, 1, 1).broadcast(count, slotDim, h, w);
        return NDArrays.concat(new NDList(everywhere, code.broadcast(count, JOINED, h, w)), 1);
    }

    /** The embedding of the grid's places, (1, D, h, w), or [p, 1 - p], (1, 4, h, w). */
    private NDArray embedding(Pass pass, NDArray slots) {
        long h = architecture.height();
        long w = architecture.width();
        NDArray positions = PositionGrid.like(slots, h, w);
        if (positionalEmbedding == null) {
            NDArray code =
                    NDArrays.concat(
                            new NDList(positions, Scalars.like(positions, 1).sub(positions)), 1);
            return code.swapAxes(0, 1).reshape(1, JOINED, h, w);
        }
        NDArray nothing = Scalars.like(slots, 0).broadcast(new Shape(1, h * w, slotDim));
        return positionalEmbedding
                .embed(pass.store(), nothing, positions, pass.training()) // (1, h w, D)
                .swapAxes(1, 2)
                .reshape(1, slotDim, h, w);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        if (positionalEmbedding != null) {
            positionalEmbedding.initialize(
                    manager, dataType, new Shape(-1, -1, slotDim), new Shape(-1, 2));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("architecture", architecture)
                .andUnless(positionalEmbedding != null, "joinedGrid", true)
                .andUnless(activation.slope() == 0, "negativeSlope", activation.slope());
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("SpatialBroadcastDecoder")
                .module(
                        "positional_embedding",
                        positionalEmbedding == null ? null : positionalEmbedding.script())
                .module("decoder", layers.script())
                .module("grid", PositionGrid.script())
                .setCode(
                        """
                        def forward(self, slots: Tensor) -> Dict[str, Tensor]:
                          v = torch.reshape(slots, [-1, %1$s, 1, 1])
                          p = self.grid.forward(slots, %2$s, %3$s)
                          y = self.decoder.hidden(self.first(v, p))
                        """
                                        .formatted(
                                                slotDim,
                                                architecture.height(),
                                                architecture.width())
                                + AlphaComposition.SCRIPT
                                + firstLayer().code())
                .build();
    }

    private BroadcastScript firstLayer() {
        return new BroadcastScript(
                slotDim,
                architecture.height(),
                architecture.width(),
                architecture.layers().get(0),
                positionalEmbedding == null);
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SpatialBroadcastDecoder}. */
    public static final class Builder extends DecoderBlock.Builder<Builder> {
        private @Nullable BroadcastArchitecture architecture;
        private boolean joinedGrid;
        private double negativeSlope;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the grid and the layers.
         *
         * @param architecture {@link BroadcastArchitecture#clevr()} for instance
         * @return this
         */
        public Builder setArchitecture(BroadcastArchitecture architecture) {
            this.architecture = architecture;
            return this;
        }

        /**
         * Sets whether the grid's places are joined to the slot, rather than embedded and added to
         * it.
         *
         * @param joinedGrid false if not set
         * @return this
         */
        public Builder optJoinedGrid(boolean joinedGrid) {
            this.joinedGrid = joinedGrid;
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
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SpatialBroadcastDecoder build() {
            String who = "SpatialBroadcastDecoder";
            check(who);
            if (architecture == null) {
                throw new IllegalArgumentException(who + ": architecture is missing");
            }
            return new SpatialBroadcastDecoder(this, architecture);
        }
    }
}
