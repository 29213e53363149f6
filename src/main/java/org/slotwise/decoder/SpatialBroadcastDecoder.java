package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
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
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.internal.ScriptedOps;
import org.slotwise.layer.StartingValues;
import org.slotwise.position.PositionGrid;
import org.slotwise.position.SoftPositionEmbed;

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
 * <ul>
 *   <li>slots (B, K, D), of the parameters' type.
 *   <li>reconstruction (B, 3, H, W), slot images (B, K, 3, H, W), masks (B, K, H, W). Colours have
 *       no fixed range.
 * </ul>
 *
 * <p>Transposed convolutions are aligned as in PyTorch: with a kernel of 5 and a stride of 2 the
 * paper's own code, in TensorFlow, lies one pixel further down and right. Where the first layer is
 * a plain convolution, the grids of slots are never made (see the source); results are equal up to
 * rounding. Weights and biases start as PyTorch's Conv2d and ConvTranspose2d do.
 */
public final class SpatialBroadcastDecoder extends ConfiguredBlock implements SlotDecoder {

    private final int slotDim;
    private final BroadcastArchitecture architecture;
    private final SoftPositionEmbed positionalEmbedding;
    private final List<Parameter> weights = new ArrayList<>();
    private final List<Parameter> biases = new ArrayList<>();

    private SpatialBroadcastDecoder(Builder builder, BroadcastArchitecture architecture) {
        slotDim = builder.slotDim;
        this.architecture = architecture;
        positionalEmbedding =
                addChildBlock(
                        "positional_embedding",
                        SoftPositionEmbed.builder()
                                .setSpatialDims(2)
                                .setFeatureDim(slotDim)
                                .build());
        int in = slotDim;
        for (BroadcastArchitecture.Layer layer : architecture.layers()) {
            String name = "decoder." + 2 * weights.size();
            int out = layer.channels();
            boolean transposed = layer.transposed();
            Initializer start = StartingValues.convolution(transposed ? out : in, layer.kernel());
            weights.add(
                    declare(
                            name + ".weight",
                            Parameter.Type.WEIGHT,
                            start,
                            transposed ? in : out,
                            transposed ? out : in,
                            layer.kernel(),
                            layer.kernel()));
            biases.add(declare(name + ".bias", Parameter.Type.BIAS, start, out));
            in = out;
        }
    }

    /** {@inheritDoc} */
    @Override
    public SlotDecoding decode(ParameterStore parameterStore, NDArray slots, boolean training) {
        AlphaComposition.checkSlots(who(), slots, slotDim);
        value(parameterStore, biases.get(0), slots, training); // checks the slots' type and device
        fetchAll(parameterStore, this, slots, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray embedding = embedding(parameterStore, slots, training);
                        long numbers = slots.getShape().get(1) * architecture.largest();
                        NDList out =
                                ImageGroups.map(
                                        numbers,
                                        new NDList(slots),
                                        some -> {
                                            NDArray group = some.head();
                                            return AlphaComposition.compose(
                                                    channels(
                                                            parameterStore,
                                                            group,
                                                            embedding,
                                                            training));
                                        });
                        out.forEach(array -> scope.keep(array, slots.getManager()));
                        return SlotDecoding.from(out);
                    }
                });
    }

    /** All layers: (B, K, 4, H, W) for slots (B, K, D). Of each layer only its result lives on. */
    private NDArray channels(
            ParameterStore store, NDArray slots, NDArray embedding, boolean training) {
        NDArray x = firstLayer(store, slots, embedding, training);
        for (int i = 1; i < weights.size(); i++) {
            NDArray next;
            try (NDArray y = Activation.relu(x)) {
                x.close();
                next = layer(i, store, y, training);
            }
            x = next;
        }
        Shape s = slots.getShape();
        Shape image = x.getShape(); // (B K, 4, H, W)
        return x.reshape(s.get(0), s.get(1), image.get(1), image.get(2), image.get(3));
    }

    /** Broadcasts slots (B, K, D), adds the embedding (1, D, h, w) and applies the first layer. */
    private NDArray firstLayer(
            ParameterStore store, NDArray slots, NDArray embedding, boolean training) {
        long height = architecture.height();
        long width = architecture.width();
        NDArray vectors = slots.reshape(-1, slotDim); // (B K, D)
        BroadcastArchitecture.Layer first = architecture.layers().get(0);
        if (!first.transposed() && BroadcastConvolution.fits(height, width, first.kernel())) {
            // conv(slot + embedding) = conv(slot) + conv(embedding)
            NDArray w = value(store, weights.get(0), slots, training);
            try (NDArray y = BroadcastConvolution.apply(vectors, w, height, width)) {
                return y.add(layer(0, store, embedding, training));
            }
        }
        try (NDArray x = vectors.reshape(-1, slotDim, 1, 1).add(embedding)) { // (B K, D, h, w)
            return layer(0, store, x, training);
        }
    }

    /** The embedding of the grid's places, (1, D, h, w). */
    private NDArray embedding(ParameterStore store, NDArray slots, boolean training) {
        long height = architecture.height();
        long width = architecture.width();
        NDManager manager = slots.getManager();
        NDArray positions =
                PositionGrid.of(manager, slots.getDataType(), height, width)
                        .toDevice(slots.getDevice(), false);
        NDArray nothing = Scalars.like(slots, 0).broadcast(new Shape(1, height * width, slotDim));
        return positionalEmbedding
                .embed(store, nothing, positions, training) // (1, h w, D)
                .swapAxes(1, 2)
                .reshape(1, slotDim, height, width);
    }

    private NDArray layer(int i, ParameterStore store, NDArray x, boolean training) {
        BroadcastArchitecture.Layer layer = architecture.layers().get(i);
        NDArray w = value(store, weights.get(i), x, training);
        NDArray b = value(store, biases.get(i), x, training);
        int stride = layer.stride();
        return layer.transposed()
                ? ScriptedOps.convTranspose2d(x, w, b, stride, layer.padding(), stride - 1)
                : Ops.conv2d(x, w, b, stride, layer.padding());
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
        long stride = architecture.stride();
        return AlphaComposition.shapes(
                who(),
                inputShapes[0],
                slotDim,
                architecture.height() * stride,
                architecture.width() * stride);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        positionalEmbedding.initialize(
                manager, dataType, new Shape(-1, -1, slotDim), new Shape(-1, 2));
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("slotDim", slotDim);
        options.put("architecture", architecture);
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

    /** Describes a {@link SpatialBroadcastDecoder}. */
    public static final class Builder {
        private int slotDim;
        private @Nullable BroadcastArchitecture architecture;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
         *
         * @param slotDim at least 1; 64 in the paper
         * @return this
         */
        public Builder setSlotDim(int slotDim) {
            this.slotDim = slotDim;
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
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SpatialBroadcastDecoder build() {
            String who = "SpatialBroadcastDecoder";
            Check.atLeast(who, "slotDim", slotDim, 1);
            if (architecture == null) {
                throw new IllegalArgumentException(who + ": architecture is missing");
            }
            return new SpatialBroadcastDecoder(this, architecture);
        }
    }
}
