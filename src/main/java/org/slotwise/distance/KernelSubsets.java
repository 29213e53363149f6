package org.slotwise.distance;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.SplitMix;

/**
 * Which subsets of two sets the kernel distance is averaged over: drawn from a seed, without
 * repetition within a subset.
 *
 * @param count how many, from 2 to 10,000; one if each were all of both sets
 * @param size of how many pictures at most, at least 2; fewer where a set has fewer
 * @param seed any number
 */
public record KernelSubsets(int count, int size, long seed) {

    /** 100 subsets of at most 1,000, as clean-fid has them; seed 0. */
    public static final KernelSubsets STANDARD = new KernelSubsets(100, 1000, 0);

    /**
     * Creates the description.
     *
     * @param count how many
     * @param size of how many pictures
     * @param seed any number
     * @throws IllegalArgumentException if a number is out of range
     */
    public KernelSubsets {
        Limits.count("KernelSubsets", "count", count, 2, Limits.ITERATIONS);
        Check.atLeast("KernelSubsets", "size", size, 2);
    }

    /**
     * Draws the rows of a set for every subset.
     *
     * @param set 0 or 1: each set has draws of its own
     * @param rows how many rows it has
     * @param taken how many are taken, at most as many
     * @return (count, taken)
     */
    long[][] draw(int set, int rows, int taken, int subsets) {
        SplitMix random = new SplitMix(seed, set);
        long[][] drawn = new long[subsets][taken];
        int[] deck = new int[rows];
        for (int i = 0; i < rows; i++) {
            deck[i] = i;
        }
        for (long[] subset : drawn) {
            // Fisher and Yates, as far as it is needed; any order is as good to begin with.
            for (int i = 0; i < taken; i++) {
                int j = i + random.below(rows - i);
                int row = deck[j];
                deck[j] = deck[i];
                deck[i] = row;
                subset[i] = row;
            }
        }
        return drawn;
    }
}
