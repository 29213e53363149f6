package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Linear;
import org.slotwise.position.PositionGrid;

/**
 * Decodes each slot to a colour that changes evenly across the picture, which the slot's attention
 * places.
 *
 * <p>Source: own; {@link AttendedColourDecoder} with a slope, as the facet model of images has one
 * (Haralick and Watson, "A Facet Model for Image Data", 1981).
 *
 * <pre>{@code
 * c_k = W slot_k + b                                       red, green, blue
 * (g_k, h_k) = V slot_k + d                                of each, how it changes with y and x
 * P_k = mean of places p, weighed by the slot's attributions
 * image_k(p) = c_k + g_k (p_y - P_ky) + h_k (p_x - P_kx)   places in [0, 1]
 * masks = attributions, each for the patch of pixels that its feature stands for
 * reconstruction = sum over slots of masks * image
 * }</pre>
 *
 * <p>As there, nothing but attention can say where an object is. A slot cannot draw a texture: to
 * be compared with pictures that have some, both are averaged over some pixels first.
 *
 * <ul>
 *   <li>slots (B, K, D) and attributions (B, K, N), of the parameters' type; the N features lie on
 *       a grid, row by row.
 *   <li>reconstruction (B, 3, H, W), slot images (B, K, 3, H, W), and masks (B, K, H, W): the
 *       attributions. Colours have no fixed range.
 * </ul>
 *
 * <p>Parameters: {@code colour.weight} (3, D) and {@code colour.bias}, which start as PyTorch's
 * Linear does, and {@code slope.weight} (6, D) and {@code slope.bias}, which start at 0.
 */
public final class AttendedRampDecoder extends DecoderBlock {

    private static final int COLOURS = 3;
    private static final double LEAST = 1e-3; // of a feature: a slot without any has no place

    private final int height;
    private final int width;
    private final int patch;
    private final Linear colour;
    private final Linear slope;

    private AttendedRampDecoder(Builder builder) {
        super(builder);
        height = builder.height;
        width = builder.width;
        patch = builder.patch;
        colour = Linear.of(declarer().under("colour"), slotDim, COLOURS);
        slope =
                Linear.of(
                        declarer().under("slope"),
                        slotDim,
                        2L * COLOURS,
                        Initializer.ZEROS,
                        Initializer.ZEROS);
    }

    /**
     * Makes images of slots and of what they attend to.
     *
     * @param parameterStore where the parameters' values are
     * @param slots objects (B, K, D) and attributions (B, K, N)
     * @param training whether to record a graph for gradients
     * @return images and masks, owned by the manager of the objects
     * @throws IllegalArgumentException if an array has another shape, type or device
     */
    public SlotDecoding decode(
            ParameterStore parameterStore, PerceptualGroupingOutput slots, boolean training) {
        NDArray objects = checked(slots.objects());
        NDArray attributions = patches().attributions(who(), objects, slots);
        return SlotDecoding.from(
                compute(
                        parameterStore,
                        objects,
                        training,
                        pass -> decode(pass, objects, attributions)));
    }

    private NDList decode(Pass pass, NDArray objects, NDArray attributions) {
        Shape s = objects.getShape();
        long b = s.get(0);
        long k = s.get(1);
        NDArray places = PositionGrid.like(objects, height / patch, width / patch); // (N, 2)
        NDArray total = Ops.clampMin(attributions.sum(new int[] {2}, true), LEAST);
        NDArray middle = attributions.matMul(places).div(total); // (B, K, 2)
        NDArray slopes = slope.apply(pass, objects); // (B, K, 6)
        NDArray byRow = slopes.get(":, :, :3");
        NDArray byColumn = slopes.get(":, :, 3:");
        NDArray flat =
                colour.apply(pass, objects)
                        .sub(byRow.mul(middle.get(":, :, 0:1")))
                        .sub(byColumn.mul(middle.get(":, :, 1:2")));
        // (B, K, 3, 3) times (3, N): what is the same everywhere, and what grows with y and x
        NDArray linear = NDArrays.stack(new NDList(flat, byRow, byColumn), 3);
        NDArray powers = places.get(":, 0:1").onesLike().concat(places, 1).swapAxes(0, 1); // (3, N)
        NDArray images = linear.matMul(powers); // (B, K, 3, N)
        NDArray made = images.mul(attributions.expandDims(2)).sum(new int[] {1}); // (B, 3, N)
        return new NDList(
                patches().enlarged(made, b, COLOURS).reshape(b, COLOURS, height, width),
                patches().enlarged(images, b, k * COLOURS).reshape(b, k, COLOURS, height, width),
                patches().enlarged(attributions, b, k).reshape(b, k, height, width));
    }

    private FeaturePatches patches() {
        return new FeaturePatches(height, width, patch);
    }

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        return decode(store, PerceptualGroupingOutput.from(inputs), training).toNDList();
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
                .and("patchSize", patch);
    }

    /**
     * Starts the description of a decoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link AttendedRampDecoder}. */
    public static final class Builder extends ImageDecoder.Builder<Builder> {
        private int patch = 1;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the height and width of the pixels that a feature stands for: the encoder's stride.
         * The image's are multiples of it.
         *
         * @param patchSize at least 1; 1 if not set
         * @return this
         */
        public Builder optPatchSize(int patchSize) {
            this.patch = patchSize;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public AttendedRampDecoder build() {
            String who = "AttendedRampDecoder";
            check(who);
            Check.atLeast(who, "patchSize", patch, 1);
            checkMultiples(who, patch);
            Limits.numbers(who, "an image", height, width);
            return new AttendedRampDecoder(this);
        }
    }
}
