package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Pass;

/** What decoders have in common that make an image and a mask of each slot alone. */
public abstract class ImageDecoder extends DecoderBlock implements SlotDecoder {

    final int height;
    final int width;

    ImageDecoder(DecoderBlock.Builder<?> builder, int height, int width) {
        super(builder);
        this.height = height;
        this.width = width;
    }

    /** Reconstruction, slot images and masks of slots (B, K, D). */
    abstract NDList decode(Pass pass, NDArray slots);

    /** {@inheritDoc} */
    @Override
    public final SlotDecoding decode(
            ParameterStore parameterStore, NDArray slots, boolean training) {
        checked(slots);
        return SlotDecoding.from(
                compute(parameterStore, slots, training, pass -> decode(pass, slots)));
    }

    @Override
    NDList decode(ParameterStore store, NDList inputs, boolean training) {
        NDArray slots = PerceptualGroupingOutput.from(inputs).objects();
        return decode(store, slots, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return AlphaComposition.shapes(checked(inputShapes[0]), height, width);
    }

    /**
     * Describes what decoders have in common that are told the size of the images.
     *
     * @param <T> the builder of one of them
     */
    public abstract static class Builder<T extends Builder<T>> extends DecoderBlock.Builder<T> {
        int height;
        int width;

        Builder() {}

        /**
         * Sets the size of the images.
         *
         * @param height H, at least 1
         * @param width W, at least 1
         * @return this
         */
        public T setImageSize(int height, int width) {
            this.height = height;
            this.width = width;
            return self();
        }

        /** Checks that images consist of whole patches, in the name of the block. */
        final void checkMultiples(String who, int patch) {
            Check.option(
                    height > 0 && width > 0 && height % patch == 0 && width % patch == 0,
                    who
                            + ": imageSize must be multiples of "
                            + patch
                            + ", got "
                            + height
                            + " by "
                            + width);
        }
    }
}
