package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

/**
 * Decodes each slot by itself into a shape around the slot's position, and one colour for all of
 * it.
 *
 * <p>Source: the broadcast decoder of Watters et al. (2019) as a perceptron at each pixel, in the
 * slots' own frames as in Biza et al., "Invariant Slot Attention" (2023). One colour a slot is a
 * choice for objects of one colour, and so is the scaling by the slot of how positions are seen
 * (Perez et al., "FiLM", 2018).
 *
 * <pre>{@code
 * d = 2 (p - P) - (Wd s + bd)                      at each pixel p = (y, x), in [0, 1]
 * h = relu((1 + Wg s + bg) * (Wy phi(2 d_y) + by + Wx phi(2 d_x) + bx) + Wb s + bb)
 * h = relu(Wh h + bh)
 * masks = softmax over slots of  Wa h + ba
 * colour = sigmoid(Wc s + bc)
 * reconstruction = sum over slots of masks * colour
 * }</pre>
 *
 * <ul>
 *   <li>slots s (B, K, D) and their positions P (B, K, 2) in [0, 1], of the parameters' type.
 *   <li>reconstruction (B, 3, H, W), slot images (B, K, 3, H, W), a view without memory of its own,
 *       masks (B, K, H, W); colours lie in [0, 1]. H and W count the pixels of the lattice, if one
 *       is asked for.
 * </ul>
 *
 * <p>On an {@link NDList} the inputs are what {@link PositionedSlots#toNDList} gives, or objects
 * and positions in this order; empty slots by their name, "is_empty".
 */
public final class ShapeAndColourDecoder extends ConfiguredBlock {

    private static final int COLOURS = 3;

    private final int slotDim;
    private final int height;
    private final int width;
    private final int hidden;
    private final int frequencies;
    private final Parameter shiftWeight;
    private final Parameter shiftBias;
    private final Parameter gainWeight;
    private final Parameter gainBias;
    private final Parameter offsetWeight;
    private final Parameter offsetBias;
    private final Parameter rowWeight;
    private final Parameter rowBias;
    private final Parameter columnWeight;
    private final Parameter columnBias;
    private final Parameter hiddenWeight;
    private final Parameter hiddenBias;
    private final Parameter alphaWeight;
    private final Parameter alphaBias;
    private final Parameter colourWeight;
    private final Parameter colourBias;

    private ShapeAndColourDecoder(Builder builder) {
        slotDim = builder.slotDim;
        height = builder.height;
        width = builder.width;
        hidden = builder.hidden;
        frequencies = builder.frequencies;
        // Slots start close to where they are.
        shiftWeight =
                declare(
                        "shift.weight",
                        Parameter.Type.WEIGHT,
                        StartingValues.uniform(0.1 * Math.sqrt(6.0 / (slotDim + 2))),
                        2,
                        slotDim);
        shiftBias = bias("shift.bias", 2);
        gainWeight = weight("gain.weight", hidden, slotDim);
        gainBias = bias("gain.bias", hidden);
        offsetWeight = weight("offset.weight", hidden, slotDim);
        offsetBias = bias("offset.bias", hidden);
        int code = FourierFeatures.count(frequencies);
        rowWeight = weight("row.weight", hidden, code);
        rowBias = bias("row.bias", hidden);
        columnWeight = weight("column.weight", hidden, code);
        columnBias = bias("column.bias", hidden);
        hiddenWeight = weight("hidden.weight", hidden, hidden);
        hiddenBias = bias("hidden.bias", hidden);
        alphaWeight = weight("alpha.weight", 1, hidden);
        alphaBias = bias("alpha.bias", 1);
        colourWeight = weight("colour.weight", COLOURS, slotDim);
        colourBias = bias("colour.bias", COLOURS);
    }

    private Parameter weight(String name, long out, long in) {
        return declare(name, Parameter.Type.WEIGHT, StartingValues.xavier(in, out), out, in);
    }

    private Parameter bias(String name, long size) {
        return declare(name, Parameter.Type.BIAS, Initializer.ZEROS, size);
    }

    /**
     * Decodes slots that know where they are; those that are empty are seen nowhere.
     *
     * @param parameterStore where the parameters' values are
     * @param slots objects (B, K, D), positions (B, K, 2), and empty slots (B, K) if there may be
     *     some
     * @param lattice which pixels to make; {@link PixelLattice#ALL} for whole images
     * @param training whether to record a graph for gradients
     * @return images and masks, owned by the manager of the slots; masks of empty slots are 0,
     *     unless all slots of an image are empty
     * @throws IllegalArgumentException if an input has another shape, type or device, or the image
     *     has no pixel on the lattice
     */
    public SlotDecoding decode(
            ParameterStore parameterStore,
            PositionedSlots slots,
            PixelLattice lattice,
            boolean training) {
        return decode(
                parameterStore,
                slots.objects(),
                slots.positions(),
                slots.isEmpty(),
                lattice,
                training);
    }

    /**
     * Decodes slots, none of which is empty.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D)
     * @param positions where the slots are, (B, K, 2)
     * @param lattice which pixels to make; {@link PixelLattice#ALL} for whole images
     * @param training whether to record a graph for gradients
     * @return images and masks, owned by the manager of the slots
     * @throws IllegalArgumentException if an input has another shape, type or device, or the image
     *     has no pixel on the lattice
     */
    public SlotDecoding decode(
            ParameterStore parameterStore,
            NDArray slots,
            NDArray positions,
            PixelLattice lattice,
            boolean training) {
        return decode(parameterStore, slots, positions, null, lattice, training);
    }

    private SlotDecoding decode(
            ParameterStore parameterStore,
            NDArray slots,
            NDArray positions,
            @Nullable NDArray isEmpty,
            PixelLattice lattice,
            boolean training) {
        AlphaComposition.checkSlots(who(), slots, slotDim);
        Shape s = slots.getShape();
        Check.shape(who(), PositionedSlots.SLOT_POSITIONS, positions, s.get(0), s.get(1), 2);
        Check.sameTypeAndDevice(
                who(), PositionedSlots.SLOT_POSITIONS, positions, AlphaComposition.SLOTS, slots);
        NDList in = new NDList(slots, positions);
        if (isEmpty != null) {
            String what = PerceptualGroupingOutput.IS_EMPTY;
            Check.shape(who(), what, isEmpty, s.get(0), s.get(1));
            Check.type(who(), what, isEmpty, DataType.BOOLEAN, "");
            Check.sameDevice(who(), what, isEmpty, AlphaComposition.SLOTS, slots);
            in.add(isEmpty);
        }
        int rows = lattice.rows(height);
        int columns = lattice.columns(width);
        Check.option(
                rows > 0 && columns > 0,
                who() + ": no pixel of " + height + " by " + width + " is on " + lattice);
        value(parameterStore, alphaBias, slots, training); // checks the slots' type and device
        fetchAll(parameterStore, this, slots, training);
        long numbers = s.get(1) * rows * columns * hidden;
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray y = places(slots, height, lattice.row(), lattice.stride());
                        NDArray x = places(slots, width, lattice.column(), lattice.stride());
                        NDList out =
                                ImageGroups.map(
                                        numbers,
                                        in,
                                        some -> decode(parameterStore, some, y, x, training));
                        NDArray colours = out.get(2); // (B, K, 3)
                        NDArray images =
                                colours.reshape(s.get(0), s.get(1), COLOURS, 1, 1)
                                        .broadcast(s.get(0), s.get(1), COLOURS, rows, columns);
                        return new SlotDecoding(
                                scope.keep(out.get(0), slots.getManager()),
                                scope.keep(images, slots.getManager()),
                                scope.keep(out.get(1), slots.getManager()));
                    }
                });
    }

    private static NDArray places(NDArray like, int size, int first, int stride) {
        double[] places = PixelLattice.places(size, first, stride);
        return Scalars.of(
                like.getManager(),
                like.getDevice(),
                places,
                new Shape(places.length),
                like.getDataType());
    }

    /** Reconstruction, masks and colours (B, K, 3) of slots and their positions. */
    private NDList decode(ParameterStore store, NDList in, NDArray y, NDArray x, boolean training) {
        NDArray s = in.get(0);
        NDArray shift = linear(store, shiftWeight, shiftBias, s, training);
        NDArray gain = linear(store, gainWeight, gainBias, s, training);
        gain = gain.add(Scalars.like(gain, 1)).expandDims(2); // (B, K, 1, R)
        NDArray offset = linear(store, offsetWeight, offsetBias, s, training).expandDims(2);
        // The sum over y and x is taken before the first relu: each is made for its own axis only.
        NDArray byRow =
                linear(store, rowWeight, rowBias, code(y, in.get(1), shift, 0), training)
                        .mul(gain)
                        .add(offset); // (B, K, H, R)
        NDArray byColumn =
                linear(store, columnWeight, columnBias, code(x, in.get(1), shift, 1), training)
                        .mul(gain); // (B, K, W, R)
        NDArray h = Activation.relu(byRow.expandDims(3).add(byColumn.expandDims(2)));
        h = Activation.relu(linear(store, hiddenWeight, hiddenBias, h, training));
        NDArray alpha = linear(store, alphaWeight, alphaBias, h, training); // (B, K, H, W, 1)
        alpha = alpha.squeeze(4);
        if (in.size() > 2) {
            NDArray empty = in.get(2).reshape(alpha.getShape().get(0), -1, 1, 1);
            alpha = Ops.maskedFill(alpha, empty, Scalars.lowest(alpha.getDataType()));
        }
        NDArray masks = alpha.softmax(1);
        NDArray colours = Activation.sigmoid(linear(store, colourWeight, colourBias, s, training));
        Shape m = masks.getShape();
        NDArray reconstruction =
                colours.swapAxes(1, 2)
                        .batchMatMul(masks.reshape(m.get(0), m.get(1), -1))
                        .reshape(m.get(0), COLOURS, m.get(2), m.get(3));
        return new NDList(reconstruction, masks, colours);
    }

    /** phi(2 d) of one axis, (B, K, pixels, 1 + 2 L). */
    private NDArray code(NDArray places, NDArray positions, NDArray shift, int axis) {
        NDArray two = Scalars.like(places, 2);
        NDArray p = positions.get(":, :, {}:{}", axis, axis + 1); // (B, K, 1)
        NDArray d = places.sub(p).mul(two).sub(shift.get(":, :, {}:{}", axis, axis + 1));
        return FourierFeatures.of(d.mul(two).expandDims(3), frequencies);
    }

    private NDArray linear(
            ParameterStore store, Parameter weight, Parameter bias, NDArray x, boolean training) {
        return Ops.linear(x, value(store, weight, x, training), value(store, bias, x, training));
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
        NDArray positions = inputs.get(PositionedSlots.SLOT_POSITIONS);
        NDArray isEmpty = inputs.get(PerceptualGroupingOutput.IS_EMPTY);
        if (positions == null) {
            Check.option(
                    inputs.size() == 2,
                    who()
                            + ": expected slots and slot_positions, got "
                            + inputs.size()
                            + " arrays");
            positions = inputs.get(1);
        }
        return decode(parameterStore, inputs.head(), positions, isEmpty, PixelLattice.ALL, training)
                .toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return AlphaComposition.shapes(who(), inputShapes[0], slotDim, height, width);
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("slotDim", slotDim);
        options.put("height", height);
        options.put("width", width);
        options.put("hidden", hidden);
        options.put("frequencies", frequencies);
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

    /** Describes a {@link ShapeAndColourDecoder}. */
    public static final class Builder {
        private int slotDim;
        private int height;
        private int width;
        private int hidden = 32;
        private int frequencies = 4;

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
         * Sets the size of the images.
         *
         * @param height H, at least 1
         * @param width W, at least 1
         * @return this
         */
        public Builder setImageSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets the size of both hidden layers, R.
         *
         * @param hidden at least 1; 32 if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets how many frequencies of each relative coordinate the decoder is given, L.
         *
         * @param frequencies at least 0; 4 if not set
         * @return this
         */
        public Builder optFrequencies(int frequencies) {
            this.frequencies = frequencies;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public ShapeAndColourDecoder build() {
            String who = "ShapeAndColourDecoder";
            Check.atLeast(who, "slotDim", slotDim, 1);
            Check.option(
                    height > 0 && width > 0,
                    who + ": imageSize must be at least 1, got " + height + " by " + width);
            Check.atLeast(who, "hidden", hidden, 1);
            Check.atLeast(who, "frequencies", frequencies, 0);
            return new ShapeAndColourDecoder(this);
        }
    }
}
