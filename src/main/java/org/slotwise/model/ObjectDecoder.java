package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.FeatureDecoding;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.model.SlotGrouping.Found;

/**
 * How slots become images, or features, again.
 *
 * @param block the block
 * @param ofFeatures whether it makes features
 * @param way how it is called
 */
record ObjectDecoder(Block block, boolean ofFeatures, Way way) {

    /**
     * What is made of slots.
     *
     * @param reconstruction (B, 3, H, W) or (B, N, F)
     * @param slotImages (B, K, 3, H, W); null where features are made
     * @param masks (B, K, H, W) or (B, K, N)
     * @param target what was to be made; null for the images themselves
     */
    record Decoded(
            NDArray reconstruction,
            @Nullable NDArray slotImages,
            NDArray masks,
            @Nullable NDArray target) {

        static Decoded of(SlotDecoding made, @Nullable NDArray target) {
            return new Decoded(made.reconstruction(), made.slotImages(), made.masks(), target);
        }

        static Decoded of(FeatureDecoding made, NDArray target) {
            return new Decoded(made.reconstruction(), null, made.masks(), target);
        }
    }

    /**
     * What there is to see.
     *
     * @param images (B, 3, H, W)
     * @param features (B, N, F), as no gradient reaches them
     */
    record Seen(NDArray images, NDArray features) {}

    /** From slots to what is made of them. */
    @FunctionalInterface
    interface Way {
        Decoded decode(ParameterStore store, Found found, Seen seen, boolean training);
    }
}
