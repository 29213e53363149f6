package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * What a decoder makes of slots: an image for each slot, the mask that says where it shows, and the
 * image that they give together.
 *
 * <p>Source: {@code ocl.decoding.ReconstructionOutput} of the Object-Centric Learning Framework.
 *
 * <pre>{@code
 * reconstruction = sum over slots of  mask * slot image
 * }</pre>
 *
 * @param reconstruction (B, 3, H, W)
 * @param slotImages (B, K, 3, H, W)
 * @param masks (B, K, H, W), from 0 to 1; their sum over slots is 1
 */
public record SlotDecoding(NDArray reconstruction, NDArray slotImages, NDArray masks) {

    /** The name of the reconstruction in an {@link NDList}. */
    public static final String RECONSTRUCTION = "reconstruction";

    /** The name of the slots' images in an {@link NDList}. */
    public static final String SLOT_IMAGES = "slot_images";

    /** The name of the masks in an {@link NDList}. */
    public static final String MASKS = "masks";

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "reconstruction", "slot_images" and "masks"
     */
    public NDList toNDList() {
        reconstruction.setName(RECONSTRUCTION);
        slotImages.setName(SLOT_IMAGES);
        masks.setName(MASKS);
        return new NDList(reconstruction, slotImages, masks);
    }

    /**
     * Converts from the form in which DJL's blocks pass arrays on.
     *
     * @param list the three arrays in the order of {@link #toNDList}
     * @return the record
     * @throws IllegalArgumentException if there are not three
     */
    public static SlotDecoding from(NDList list) {
        if (list.size() != 3) {
            throw new IllegalArgumentException(
                    "SlotDecoding: expected reconstruction, slot_images and masks, got "
                            + list.size()
                            + " arrays");
        }
        return new SlotDecoding(list.get(0), list.get(1), list.get(2));
    }
}
