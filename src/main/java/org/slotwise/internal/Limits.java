package org.slotwise.internal;

import ai.djl.ndarray.types.DataType;
import java.util.Arrays;

/**
 * How large sizes and counts may be: far beyond what anyone needs, and small enough that nothing
 * overflows, runs out of memory by a slip, or never ends.
 */
public final class Limits {

    /** The most numbers in an array: in float64 as many as fit into one of Java's buffers. */
    public static final long NUMBERS = 1L << 28;

    /** The most layers, heads or frequencies of a block. */
    public static final int LAYERS = 1000;

    /** The most slots of an image. */
    public static final int SLOTS = 1 << 16;

    /** The largest kernel, stride or padding of a window. */
    public static final int WINDOW = 4096;

    /** The most iterations, rounds or starts of a call. */
    public static final int ITERATIONS = 10_000;

    private Limits() {}

    /**
     * Requires a count to be in range.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     * @param least the smallest that is allowed
     * @param most the largest that is allowed
     */
    public static void count(String who, String option, long got, long least, long most) {
        Check.atLeast(who, option, got, least);
        Check.option(
                got <= most, who + ": " + option + " must be at most " + most + ", got " + got);
    }

    /**
     * Requires what is added to a variance before its root is taken to be at least 1e-30 and at
     * most 1: where all values are equal, less leads to 0 / 0 in float32, and more hides the
     * values.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     */
    public static void normEps(String who, String option, double got) {
        Check.positive(who, option, got);
        Check.option(
                got >= 1e-30 && got <= 1,
                who + ": " + option + " must be from 1e-30 to 1, got " + got);
    }

    /**
     * Requires a deviation that is squared to be at least 1e-9 and at most 1e9: in float32 squares
     * of others are soon 0 or infinite, and what they belong to counts for nothing.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     */
    public static void deviation(String who, String option, double got) {
        Check.option(
                got >= 1e-9 && got <= 1e9,
                who + ": " + option + " must be from 1e-9 to 1e9, got " + got);
    }

    /**
     * Requires what is added to attention before it is normalised to be at least 0 and at most 1.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     */
    public static void eps(String who, String option, double got) {
        Check.notNegative(who, option, got);
        Check.option(got <= 1, who + ": " + option + " must be at most 1, got " + got);
    }

    /**
     * Requires what scores are divided by to be from 1e-20 to 1e20, in float16 from 1e-4 to 1e4:
     * beyond, they become 0 or infinite.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     * @param type the type that is computed in
     */
    public static void divisor(String who, String option, double got, DataType type) {
        boolean half = type == DataType.FLOAT16;
        Check.option(
                got >= (half ? 1e-4 : 1e-20) && got <= (half ? 1e4 : 1e20),
                who
                        + ": "
                        + option
                        + (half
                                ? " must be from 1e-4 to 1e4 in float16"
                                : " must be from 1e-20 to 1e20")
                        + ", got "
                        + got);
    }

    /**
     * Requires an array that follows from sizes to have some, and to be of a size that can be held.
     *
     * @param who the block that complains
     * @param what the array
     * @param shape its shape
     */
    public static void numbers(String who, String what, long... shape) {
        long room = NUMBERS;
        for (long size : shape) {
            room = size < 1 ? 0 : room / size;
        }
        Check.option(
                room > 0,
                who
                        + ": "
                        + what
                        + " must have sizes of at least 1 and at most "
                        + NUMBERS
                        + " numbers, got "
                        + Arrays.toString(shape));
    }
}
