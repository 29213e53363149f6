package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.List;
import org.slotwise.internal.Check;

/**
 * One slot among those of several pictures.
 *
 * @param picture the picture's number, from 0
 * @param slot the slot's number, from 0
 */
public record SlotChoice(int picture, int slot) {

    /**
     * Chooses a slot.
     *
     * @param picture the picture's number, from 0
     * @param slot the slot's number, from 0
     * @throws IllegalArgumentException if a number is below 0
     */
    public SlotChoice {
        Check.atLeast("SlotChoice", "picture", picture, 0);
        Check.atLeast("SlotChoice", "slot", slot, 0);
    }

    /** The chosen ones of slots (B, K, E): (1, number of them, E). */
    static NDArray all(NDArray slots, List<SlotChoice> prompt) {
        NDList rows = new NDList();
        prompt.forEach(c -> rows.add(slots.get("{}, {}", c.picture(), c.slot())));
        return NDArrays.stack(rows).expandDims(0);
    }
}
