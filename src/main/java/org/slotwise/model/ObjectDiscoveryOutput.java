package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;

/**
 * What an {@link ObjectDiscovery} makes of images: the slots, and what is made of them.
 *
 * @param reconstruction (B, 3, H, W) in the range of the images; or (B, N, F), features
 * @param slotImages (B, K, 3, H, W); null where features are made
 * @param masks (B, K, H, W), or (B, K, N) where features are made; their sum over slots is 1
 * @param slots objects (B, K, D), attributions (B, K, N) and empty slots (B, K), where there are
 *     some
 * @param slotPositions (B, K, 2); null for slots without
 * @param target what was to be made, where that is not the images: the features, or every so many
 *     pixels; null otherwise
 */
public record ObjectDiscoveryOutput(
        NDArray reconstruction,
        @Nullable NDArray slotImages,
        NDArray masks,
        PerceptualGroupingOutput slots,
        @Nullable NDArray slotPositions,
        @Nullable NDArray target) {

    /** The name of the target in an {@link NDList}. */
    public static final String TARGET = "target";

    /**
     * Converts to the form in which DJL's blocks pass arrays on, by the names that {@code
     * ObjectDiscoveryTranslator} knows. Sets the arrays' names.
     *
     * @return "reconstruction", "slot_images", "masks", "objects", "feature_attributions",
     *     "is_empty", "slot_positions" and "target", as far as they are there
     */
    public NDList toNDList() {
        NDList list = new NDList();
        add(list, SlotDecoding.RECONSTRUCTION, reconstruction);
        add(list, SlotDecoding.SLOT_IMAGES, slotImages);
        add(list, SlotDecoding.MASKS, masks);
        list.addAll(slots.toNDList());
        add(list, PositionedSlots.SLOT_POSITIONS, slotPositions);
        add(list, TARGET, target);
        return list;
    }

    private static void add(NDList list, String name, @Nullable NDArray array) {
        if (array != null) {
            array.setName(name);
            list.add(array);
        }
    }
}
