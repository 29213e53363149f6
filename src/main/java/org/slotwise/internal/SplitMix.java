package org.slotwise.internal;

/**
 * SplitMix64 (Steele, Lea and Flood 2014). The library's generators have no fixed algorithm in
 * their contract, and what is drawn from a seed, a scene for instance, is to stay the same on every
 * Java.
 */
public final class SplitMix {

    private static final long STEP = 0x9e3779b97f4a7c15L;

    private long state;

    /**
     * Starts a stream of draws of its own for each pair.
     *
     * @param seed any number
     * @param index which of the seed's streams
     */
    public SplitMix(long seed, long index) {
        state = mix(mix(seed + STEP) + index);
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /**
     * Draws 64 bits.
     *
     * @return any number
     */
    public long next() {
        state += STEP;
        return mix(state);
    }

    /**
     * Draws a whole number.
     *
     * @param bound at least 1
     * @return from 0 to bound - 1
     */
    public int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /**
     * Draws a whole number.
     *
     * @param least the lowest
     * @param most the highest
     * @return from least to most, both included
     */
    public int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /**
     * Draws a number.
     *
     * @param from the lower end
     * @param to the upper end
     * @return at least from, below to
     */
    public double between(double from, double to) {
        return from + (to - from) * ((next() >>> 11) * 0x1p-53);
    }
}
