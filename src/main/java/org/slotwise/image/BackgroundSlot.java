package org.slotwise.image;

import java.util.List;
import java.util.stream.IntStream;
import org.slotwise.internal.Check;

/** Which slot of an image is the background. */
public final class BackgroundSlot {

    /** What the background's class is called. */
    static final String NAME = "background";

    private static final int NONE = -1;
    private static final int LARGEST = -2;

    private final int choice;

    private BackgroundSlot(int choice) {
        this.choice = choice;
    }

    /**
     * No slot is.
     *
     * @return the choice
     */
    public static BackgroundSlot none() {
        return new BackgroundSlot(NONE);
    }

    /**
     * In each image the slot to which most pixels belong; the first of equals.
     *
     * @return the choice
     */
    public static BackgroundSlot largest() {
        return new BackgroundSlot(LARGEST);
    }

    /**
     * The same slot in all images.
     *
     * @param slot its number, from 0
     * @return the choice
     * @throws IllegalArgumentException if the number is negative
     */
    public static BackgroundSlot number(int slot) {
        Check.option(slot >= 0, "BackgroundSlot: number must be at least 0, got " + slot);
        return new BackgroundSlot(slot);
    }

    /**
     * What the slots are called.
     *
     * @param sizes how many pixels of the image each slot has
     */
    List<String> names(int... sizes) {
        int k = choice;
        if (k == LARGEST) {
            k = 0;
            for (int i = 1; i < sizes.length; i++) {
                k = sizes[i] > sizes[k] ? i : k;
            }
        }
        if (k >= sizes.length) {
            throw new IllegalArgumentException(
                    "BackgroundSlot: number must be below " + sizes.length + ", got " + k);
        }
        int background = k;
        return IntStream.range(0, sizes.length)
                .mapToObj(i -> i == background ? NAME : "slot " + i)
                .toList();
    }
}
