package org.slotwise.data;

/**
 * SplitMix64 (Steele, Lea and Flood 2014). The library's generators have no fixed algorithm in
 * their contract, and a scene is to stay the same on every Java.
 */
final class SceneRandom {

    private static final long STEP = 0x9e3779b97f4a7c15L;

    private long state;

    /** Starts a stream of draws of its own for each pair. */
    SceneRandom(long seed, long index) {
        state = mix(mix(seed + STEP) + index);
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    long next() {
        state += STEP;
        return mix(state);
    }

    /** A whole number from 0 to bound - 1. */
    int below(int bound) {
        return (int) (((next() >>> 32) * bound) >>> 32);
    }

    /** A whole number, both ends included. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /** A number, the lower end included. */
    double between(double from, double to) {
        return from + (to - from) * ((next() >>> 11) * 0x1p-53);
    }
}
