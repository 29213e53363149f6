package org.slotwise.grouping;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The sizes of a {@link SteveSlotAttention}.
 *
 * @param side r: features lie on r x r places
 * @param featureDim F, the size of a feature
 * @param slots K, how many are made where nobody says what they start from
 * @param dim D, the size of a slot while it is refined
 * @param outDim D', the size of a slot at the end
 * @param hidden the hidden size of the feed-forward
 * @param iterations T
 * @param heads H
 * @param eps what is added to the attention
 * @param learntStarts whether each slot starts from learnt values of its own, not from a draw
 */
public record SteveOptions(
        int side,
        int featureDim,
        int slots,
        int dim,
        int outDim,
        int hidden,
        int iterations,
        int heads,
        double eps,
        boolean learntStarts) {

    private static final String WHO = "SteveOptions";

    /**
     * Creates the options.
     *
     * @param side from 1 to 4,096
     * @param featureDim at least 1
     * @param slots at least 1
     * @param dim at least 1, a multiple of the heads
     * @param outDim at least 1
     * @param hidden at least 1
     * @param iterations from 1 to 10,000
     * @param heads at least 1
     * @param eps from 0 to 1
     * @param learntStarts whether starts are learnt
     * @throws IllegalArgumentException if a number is out of its range
     */
    public SteveOptions {
        Limits.count(WHO, "side", side, 1, Limits.WINDOW);
        Check.atLeast(WHO, "featureDim", featureDim, 1);
        Limits.count(WHO, "slots", slots, 1, Limits.SLOTS);
        Check.atLeast(WHO, "dim", dim, 1);
        Check.atLeast(WHO, "outDim", outDim, 1);
        Check.atLeast(WHO, "hidden", hidden, 1);
        Limits.count(WHO, "iterations", iterations, 1, Limits.ITERATIONS);
        Check.atLeast(WHO, "heads", heads, 1);
        Check.option(
                dim % heads == 0,
                WHO + ": dim must be a multiple of heads, got " + dim + " and " + heads);
        Limits.eps(WHO, "eps", eps);
        Limits.numbers(WHO, "the slots of an image", slots, dim);
    }

    /**
     * The authors' for MOVi-E: 24 slots of size 192 on 64 x 64 features of that size.
     *
     * @return the options
     */
    public static SteveOptions latentSlotDiffusion() {
        return new SteveOptions(64, 192, 24, 192, 192, 192, 3, 1, 1e-6, false);
    }

    /** N, how many features there are. */
    int places() {
        return side * side;
    }
}
