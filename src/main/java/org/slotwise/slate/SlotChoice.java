package org.slotwise.slate;

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
}
