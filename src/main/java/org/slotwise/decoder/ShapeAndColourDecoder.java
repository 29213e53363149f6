package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.internal.Check;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

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
public final class ShapeAndColourDecoder extends DecoderBlock implements Scriptable {

    private static final int COLOURS = 3;

    private final int height;
    private final int width;
    private final int hidden;
    private final int frequencies;
    private final Linear shift; // Wd
    private final Linear gain; // Wg
    private final Linear offset; // Wb
    private final Linear row; // Wy
    private final Linear column; // Wx
    private final Linear second; // Wh
    private final Linear alpha; // Wa
    private final Linear colour; // Wc

    private ShapeAndColourDecoder(Builder builder) {
        super(builder);
        height = builder.height;
        width = builder.width;
        hidden = builder.hidden;
        frequencies = builder.frequencies;
        // Slots start close to where they are.
        Initializer small = StartingValues.uniform(0.1 * Math.sqrt(6.0 / (slotDim + 2)));
        shift = Linear.of(declarer().under("shift"), slotDim, 2, small, Initializer.ZEROS);
        gain = linear("gain", slotDim, hidden);
        offset = linear("offset", slotDim, hidden);
        int code = FourierFeatures.count(frequencies);
        row = linear("row", code, hidden);
        column = linear("column", code, hidden);
        second = linear("hidden", hidden, hidden);
        alpha = linear("alpha", hidden, 1);
        colour = linear("colour", slotDim, COLOURS);
    }

    private Linear linear(String name, int in, int out) {
        Initializer xavier = StartingValues.xavier(in, out);
        return Linear.of(declarer().under(name), in, out, xavier, Initializer.ZEROS);
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
        Shape s = checked(slots).getShape();
        Check.shape(who(), PositionedSlots.SLOT_POSITIONS, positions, s.get(0), s.get(1), 2);
        Check.sameTypeAndDevice(who(), PositionedSlots.SLOT_POSITIONS, positions, SLOTS, slots);
        NDList in = new NDList(slots, positions);
        if (isEmpty != null) {
            String what = PerceptualGroupingOutput.IS_EMPTY;
            Check.shape(who(), what, isEmpty, s.get(0), s.get(1));
            Check.type(who(), what, isEmpty, DataType.BOOLEAN, "");
            Check.sameDevice(who(), what, isEmpty, SLOTS, slots);
            in.add(isEmpty);
        }
        int rows = lattice.rows(height);
        int columns = lattice.columns(width);
        Check.option(
                rows > 0 && columns > 0,
                who() + ": no pixel of " + height + " by " + width + " is on " + lattice);
        long numbers = s.get(1) * rows * columns * hidden;
        NDList out =
                compute(
                        parameterStore,
                        slots,
                        training,
                        pass -> {
                            NDArray y = places(slots, height, lattice.row(), lattice.stride());
                            NDArray x = places(slots, width, lattice.column(), lattice.stride());
                            NDList made =
                                    ImageGroups.map(numbers, in, some -> decode(pass, some, y, x));
                            NDArray images = // (B, K, 3, H, W) of colours (B, K, 3)
                                    made.get(2)
                                            .reshape(s.get(0), s.get(1), COLOURS, 1, 1)
                                            .broadcast(s.get(0), s.get(1), COLOURS, rows, columns);
                            return new NDList(made.get(0), images, made.get(1));
                        });
        return SlotDecoding.from(out);
    }

    private static NDArray places(NDArray like, int size, int first, int stride) {
        return PixelLattice.places(size, first, stride)
                .on(like.getManager(), like.getDevice(), like.getDataType());
    }

    /** Reconstruction, masks and colours (B, K, 3) of slots and their positions. */
    private NDList decode(Pass pass, NDList in, NDArray y, NDArray x) {
        NDArray s = in.get(0);
        NDArray d = shift.apply(pass, s);
        NDArray g = gain.apply(pass, s);
        g = g.add(Scalars.like(g, 1)).expandDims(2); // (B, K, 1, R)
        NDArray b = offset.apply(pass, s).expandDims(2);
        // The sum over y and x is taken before the first relu: each is made for its own axis only.
        NDArray byRow = // (B, K, H, R)
                row.apply(pass, code(y, in.get(1), d, 0)).mul(g).add(b);
        NDArray byColumn = column.apply(pass, code(x, in.get(1), d, 1)).mul(g); // (B, K, W, R)
        NDArray h = LeakyRelu.NONE.inPlace(byRow.expandDims(3).add(byColumn.expandDims(2)));
        h = LeakyRelu.NONE.ofMap(pass, second, h);
        NDArray a = alpha.apply(pass, h).squeeze(4); // (B, K, H, W)
        if (in.size() > 2) {
            NDArray empty = in.get(2).reshape(a.getShape().get(0), -1, 1, 1);
            a = Ops.maskedFill(a, empty, Scalars.lowest(a.getDataType()));
        }
        NDArray masks = a.softmax(1);
        NDArray colours = Activation.sigmoid(colour.apply(pass, s));
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

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        Map<String, ScriptModule> parts = new LinkedHashMap<>();
        parts.put("shift", shift.script());
        parts.put("gain", gain.script());
        parts.put("offset", offset.script());
        parts.put("row", row.script());
        parts.put("column", column.script());
        parts.put("hidden", second.script());
        parts.put("alpha", alpha.script());
        parts.put("colour", colour.script());
        return ShapeAndColourScript.of(parts, height, width, hidden, frequencies);
    }

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        NDArray positions = inputs.get(PositionedSlots.SLOT_POSITIONS);
        NDArray isEmpty = inputs.get(PerceptualGroupingOutput.IS_EMPTY);
        Check.option(
                positions == null ? inputs.size() == 2 : inputs.size() > 1,
                who() + ": expected slots and slot_positions, got " + inputs.size() + " arrays");
        if (positions == null) {
            positions = inputs.get(1);
        }
        return decode(store, inputs.head(), positions, isEmpty, PixelLattice.ALL, training)
                .toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return AlphaComposition.shapes(checked(inputShapes[0]), height, width);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("height", height)
                .and("width", width)
                .and("hidden", hidden)
                .and("frequencies", frequencies);
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
    public static final class Builder extends ImageDecoder.Builder<Builder> {
        private int hidden = 32;
        private int frequencies = 4;

        private Builder() {}

        @Override
        Builder self() {
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
         * @param frequencies from 0 to 1,000; 4 if not set
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
            check(who);
            Check.option(
                    height > 0 && width > 0,
                    who + ": imageSize must be at least 1, got " + height + " by " + width);
            Check.atLeast(who, "hidden", hidden, 1);
            Limits.count(who, "frequencies", frequencies, 0, Limits.LAYERS);
            Limits.numbers(who, "an image", height, width);
            return new ShapeAndColourDecoder(this);
        }
    }
}
