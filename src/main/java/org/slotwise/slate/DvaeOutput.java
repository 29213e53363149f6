package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * What {@link DiscreteVae} makes of pictures.
 *
 * @param reconstruction (B, C, H, W), not bounded
 * @param codes (B, V, H / 4, W / 4), the sample that it was made of, sums to 1 over V
 * @param logits (B, V, H / 4, W / 4)
 */
public record DvaeOutput(NDArray reconstruction, NDArray codes, NDArray logits) {

    /** The name of the reconstruction in an {@link NDList}. */
    public static final String RECONSTRUCTION = "reconstruction";

    /** The name of the codes in an {@link NDList}. */
    public static final String CODES = "codes";

    /** The name of the logits in an {@link NDList}. */
    public static final String LOGITS = "logits";

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "reconstruction", "codes" and "logits"
     */
    public NDList toNDList() {
        reconstruction.setName(RECONSTRUCTION);
        codes.setName(CODES);
        logits.setName(LOGITS);
        return new NDList(reconstruction, codes, logits);
    }
}
