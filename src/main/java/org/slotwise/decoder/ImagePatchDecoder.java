package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Linear;
import org.slotwise.layer.Perceptron;
import org.slotwise.position.PositionGrid;

/**
 * Decodes each slot to patches of an image, each by a perceptron on the slot and the patch's place:
 * what a spatial broadcast decoder does, at a small part of its cost.
 *
 * <p>Source: own. The idea is that of Watters et al., "Spatial Broadcast Decoder" (2019), with a
 * grid of patches instead of pixels; Seitzer et al., "Bridging the Gap to Real-World Object-Centric
 * Learning" (2023), decode the features of patches in this way.
 *
 * <pre>{@code
 * g = [p, 1 - p, sin(pi k p), cos(pi k p)]         p a patch's place in the grid, k = 1 ... L
 * z = relu(Ws slot + bs + Wg g)
 * z = relu(W z + b)                                once for each hidden layer
 * rgb, a = W z + b                                 for each pixel of the patch: 3 channels and 1
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
 * <p>Parameters: {@code slot.weight} (hidden, D) and {@code slot.bias}, {@code grid.weight}
 * (hidden, 4 + 4 L), and {@code mlp.0}, {@code mlp.2}, ... for the layers after that; the last one
 * gives the patch's pixels in the order channel, row, column. Weights and biases start as PyTorch's
 * Linear does.
 */
public final class ImagePatchDecoder extends ImageDecoder {

    private final int patch;
    private final int hidden;
    private final int hiddenLayers;
    private final int frequencies;
    private final Linear slot;
    private final Linear grid;
    private final Perceptron mlp;

    private ImagePatchDecoder(Builder builder) {
        super(builder, builder.height, builder.width);
        patch = builder.patch;
        hidden = builder.hidden;
        hiddenLayers = builder.hiddenLayers;
        frequencies = builder.frequencies;
        slot = Linear.of(declarer().under("slot"), slotDim, hidden);
        grid = Linear.of(declarer().under("grid"), 4 + 4L * frequencies, hidden, false);
        mlp =
                Perceptron.of(
                        declarer().under("mlp"),
                        hidden,
                        hidden,
                        hiddenLayers,
                        (long) AlphaComposition.CHANNELS * patch * patch);
    }

    @Override
    NDList decode(Pass pass, NDArray slots) {
        NDArray s = slot.apply(pass, slots).expandDims(2); // (B, K, 1, hidden)
        NDArray g = grid.apply(pass, code(slots)); // (N, hidden)
        NDArray patches = mlp.applyToHidden(pass, s.add(g));
        return AlphaComposition.compose(image(patches));
    }

    /** [p, 1 - p, sin(pi k p), cos(pi k p)] of each patch: (N, 4 + 4 L). */
    private NDArray code(NDArray slots) {
        NDArray p = PositionGrid.like(slots, height / patch, width / patch);
        NDList parts = new NDList(p, Scalars.like(p, 1).sub(p));
        for (int k = 1; k <= frequencies; k++) {
            NDArray angle = p.mul(Scalars.like(p, Math.PI * k));
            parts.add(angle.sin());
            parts.add(angle.cos());
        }
        return NDArrays.concat(parts, 1);
    }

    /** Lays patches (B, K, N, 4 P P) out as images (B, K, 4, H, W). */
    private NDArray image(NDArray patches) {
        Shape s = patches.getShape();
        int channels = AlphaComposition.CHANNELS;
        return patches.reshape(
                        s.get(0), s.get(1), height / patch, width / patch, channels, patch, patch)
                .transpose(0, 1, 4, 2, 5, 3, 6)
                .reshape(s.get(0), s.get(1), channels, height, width);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slotDim", slotDim)
                .and("height", height)
                .and("width", width)
                .and("patchSize", patch)
                .and("hidden", hidden)
                .and("hiddenLayers", hiddenLayers)
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

    /** Describes an {@link ImagePatchDecoder}. */
    public static final class Builder extends ImageDecoder.Builder<Builder> {
        private int patch;
        private int hidden = 128;
        private int hiddenLayers = 1;
        private int frequencies = 4;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the height and width of a patch. Those of the images are multiples of it.
         *
         * @param patchSize at least 1
         * @return this
         */
        public Builder setPatchSize(int patchSize) {
            this.patch = patchSize;
            return this;
        }

        /**
         * Sets the size of the hidden layers.
         *
         * @param hidden at least 1; 128 if not set
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Sets how many hidden layers follow the first one, which joins slot and place.
         *
         * @param hiddenLayers from 0 to 1,000; 1 if not set
         * @return this
         */
        public Builder optHiddenLayers(int hiddenLayers) {
            this.hiddenLayers = hiddenLayers;
            return this;
        }

        /**
         * Sets how many frequencies of each coordinate the decoder is given, L.
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
        public ImagePatchDecoder build() {
            String who = "ImagePatchDecoder";
            check(who);
            Check.atLeast(who, "patchSize", patch, 1);
            checkMultiples(who, patch);
            Check.atLeast(who, "hidden", hidden, 1);
            Limits.count(who, "hiddenLayers", hiddenLayers, 0, Limits.LAYERS);
            Limits.count(who, "frequencies", frequencies, 0, Limits.LAYERS);
            Limits.numbers(who, "an image", height, width);
            return new ImagePatchDecoder(this);
        }
    }
}
