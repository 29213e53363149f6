package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Linear;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Decodes each slot to one colour, which the slot's attention places.
 *
 * <p>Source: own. That attention places what is decoded is how Seitzer et al., "Bridging the Gap to
 * Real-World Object-Centric Learning" (2023), read masks from attention; one colour for a slot is
 * the mean of a mixture, as in soft k-means.
 *
 * <pre>{@code
 * c_k = W slot_k + b                                       red, green, blue
 * masks = attributions, each for the patch of pixels that its feature stands for
 * reconstruction = sum over slots of masks * c
 * }</pre>
 *
 * <p>There is no place in it, and nothing but attention can say where an object is: what a picture
 * takes to be made again is learnt by encoder and grouping. A slot cannot draw a texture, so masks
 * that keep to one slot over textured ground come from a loss that wants it ({@link
 * org.slotwise.loss.TotalVariationLoss}).
 *
 * <ul>
 *   <li>slots (B, K, D) and attributions (B, K, N), of the parameters' type; the N features lie on
 *       a grid, row by row.
 *   <li>reconstruction (B, 3, H, W), slot images (B, K, 3, H, W), each of one colour, and masks (B,
 *       K, H, W): the attributions, whose sum over slots is 1 for groupings that promise it.
 *       Colours have no fixed range.
 * </ul>
 *
 * <p>Parameters: {@code colour.weight} (3, D) and {@code colour.bias}, which start as PyTorch's
 * Linear does.
 */
public final class AttendedColourDecoder extends DecoderBlock implements Scriptable {

    private static final int COLOURS = 3;

    private final int height;
    private final int width;
    private final int patch;
    private final Linear colour;

    private AttendedColourDecoder(Builder builder) {
        super(builder);
        height = builder.height;
        width = builder.width;
        patch = builder.patch;
        colour = Linear.of(declarer().under("colour"), slotDim, COLOURS);
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
        NDArray colours = colour.apply(pass, objects); // (B, K, 3)
        NDArray small = colours.swapAxes(1, 2).batchMatMul(attributions); // (B, 3, N)
        return new NDList(
                patches().enlarged(small, b, COLOURS).reshape(b, COLOURS, height, width),
                colours.reshape(b, k, COLOURS, 1, 1).broadcast(b, k, COLOURS, height, width),
                patches().enlarged(attributions, b, k).reshape(b, k, height, width));
    }

    private FeaturePatches patches() {
        return new FeaturePatches(height, width, patch);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("AttendedColourDecoder")
                .module("colour", colour.script())
                .optInputs("objects", PerceptualGroupingOutput.FEATURE_ATTRIBUTIONS)
                .setCode(
                        """
                        def forward(self, slots: Tensor, attributions: Tensor) -> Dict[str, Tensor]:
                          c = self.colour.forward(slots)
                          made = self.enlarged(torch.matmul(torch.transpose(c, 1, 2), attributions))
                          b = torch.size(c, 0)
                          k = torch.size(c, 1)
                          flat = torch.expand(torch.reshape(c, [b, k, 3, 1, 1]), [-1, -1, -1, %1$s, %2$s])
                          return {"reconstruction": made, "slot_images": flat, "masks": self.enlarged(attributions)}
                        def enlarged(self, map: Tensor) -> Tensor:
                          b = torch.size(map, 0)
                          n = torch.size(map, 1)
                          small = torch.reshape(map, [b, n, %4$s, 1, %5$s, 1])
                          large = torch.expand(small, [-1, -1, -1, %3$s, -1, %3$s])
                          return torch.reshape(large, [b, n, %1$s, %2$s])
                        """
                                .formatted(height, width, patch, height / patch, width / patch))
                .build();
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

    /** Describes an {@link AttendedColourDecoder}. */
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
        public AttendedColourDecoder build() {
            String who = "AttendedColourDecoder";
            check(who);
            Check.atLeast(who, "patchSize", patch, 1);
            checkMultiples(who, patch);
            Limits.numbers(who, "an image", height, width);
            return new AttendedColourDecoder(this);
        }
    }
}
