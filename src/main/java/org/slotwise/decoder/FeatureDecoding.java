package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * What a decoder of features makes of slots: the features that they give together, and the masks
 * that say which slot each comes from.
 *
 * <p>Source: {@code ocl.decoding.PatchReconstructionOutput} of the Object-Centric Learning
 * Framework.
 *
 * @param reconstruction (B, N, F)
 * @param masks (B, K, N), from 0 to 1; their sum over slots is 1
 */
public record FeatureDecoding(NDArray reconstruction, NDArray masks) {

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "reconstruction" and "masks"
     */
    public NDList toNDList() {
        reconstruction.setName(SlotDecoding.RECONSTRUCTION);
        masks.setName(SlotDecoding.MASKS);
        return new NDList(reconstruction, masks);
    }

    /**
     * Converts from the form in which DJL's blocks pass arrays on.
     *
     * @param list the two arrays in the order of {@link #toNDList}
     * @return the record
     * @throws IllegalArgumentException if there are not two
     */
    public static FeatureDecoding from(NDList list) {
        if (list.size() != 2) {
            throw new IllegalArgumentException(
                    "FeatureDecoding: expected reconstruction and masks, got "
                            + list.size()
                            + " arrays");
        }
        return new FeatureDecoding(list.get(0), list.get(1));
    }
}
