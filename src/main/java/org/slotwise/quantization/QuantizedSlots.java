package org.slotwise.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * Slots as {@link SlotQuantizer} gives them.
 *
 * @param slots (B, K, L E), made of codes alone
 * @param codes (B, K, L) int64, which code each latent has: the most probable one, in training of
 *     the sample
 * @param logits (B, K, L, M), logarithms of the latents' probabilities up to a number for each
 *     latent
 */
public record QuantizedSlots(NDArray slots, NDArray codes, NDArray logits) {

    /** The name of the slots in an {@link NDList}. */
    public static final String SLOTS = "slots";

    /** The name of the codes in an {@link NDList}. */
    public static final String CODES = "codes";

    /** The name of the logits in an {@link NDList}. */
    public static final String LOGITS = "logits";

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "slots", "codes" and "logits"
     */
    public NDList toNDList() {
        slots.setName(SLOTS);
        codes.setName(CODES);
        logits.setName(LOGITS);
        return new NDList(slots, codes, logits);
    }
}
