package org.slotwise.unet;

import org.slotwise.internal.Check;

/**
 * How many heads attention has at a width: always as many, or as many as have a size.
 *
 * <p>Latent Slot Diffusion has 24 at every width; SlotDiffusion has heads of size 32.
 *
 * @param count how many; 0 where the size says it
 * @param size how many channels a head has; 0 where the count says it
 */
public record Heads(int count, int size) {

    /**
     * Creates heads.
     *
     * @param count how many; 0 where the size says it
     * @param size how many channels a head has; 0 where the count says it
     * @throws IllegalArgumentException if both are set or none, or one is below 0
     */
    public Heads {
        Check.option(
                Math.min(count, size) == 0 && Math.max(count, size) > 0,
                "Heads: either count or size must be at least 1, the other 0, got "
                        + count
                        + " and "
                        + size);
    }

    /**
     * So many heads at every width.
     *
     * @param count at least 1
     * @return the heads
     */
    public static Heads count(int count) {
        return new Heads(count, 0);
    }

    /**
     * As many heads as have a size.
     *
     * @param size at least 1
     * @return the heads
     */
    public static Heads size(int size) {
        return new Heads(0, size);
    }

    /** How many there are at a width, which must be a multiple of them. */
    int at(int width) {
        int divisor = Math.max(count, size);
        Check.option(
                width % divisor == 0,
                "Heads: a width with attention must be a multiple of "
                        + divisor
                        + ", got "
                        + width);
        return count > 0 ? count : width / size;
    }
}
