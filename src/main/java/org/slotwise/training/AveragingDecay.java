package org.slotwise.training;

import org.slotwise.internal.Check;

/** How much of an average of weights stays when it is updated: see {@link WeightAverage}. */
@FunctionalInterface
public interface AveragingDecay {

    /**
     * The decay of an update.
     *
     * @param update its number, from 1
     * @return d, from 0, where the average becomes the weights, to 1, where it stays
     */
    double at(long update);

    /**
     * The same in every update.
     *
     * @param decay from 0 to 1
     * @return the decay
     * @throws IllegalArgumentException if it is out of its range
     */
    static AveragingDecay constant(double decay) {
        require("decay", decay);
        return update -> decay;
    }

    /**
     * From 0 at the first update towards a bound: min(most, i / (9 + i)), as diffusers has it.
     *
     * @param most from 0 to 1; 0.9999 in most papers
     * @return the decay
     * @throws IllegalArgumentException if it is out of its range
     */
    static AveragingDecay rising(double most) {
        require("most", most);
        return update -> update <= 1 ? 0 : Math.min(most, update / (9.0 + (double) update));
    }

    /**
     * Rising by a power: min(most, 1 - i^-power), diffusers' {@code use_ema_warmup}.
     *
     * @param most from 0 to 1
     * @param power above 0: 2 / 3 for long trainings, 3 / 4 for short ones
     * @return the decay
     * @throws IllegalArgumentException if a number is out of its range
     */
    static AveragingDecay warmUp(double most, double power) {
        require("most", most);
        Check.positive("AveragingDecay", "power", power);
        return update -> Math.min(most, 1 - Math.pow((double) update, -power));
    }

    /**
     * Rising from the first update on: min(most, (1 + i) / (10 + i)), as SlotDiffusion has it.
     *
     * @param most from 0 to 1
     * @return the decay
     * @throws IllegalArgumentException if it is out of its range
     */
    static AveragingDecay risingAtOnce(double most) {
        require("most", most);
        return update -> Math.min(most, (1.0 + update) / (10.0 + update));
    }

    private static void require(String what, double decay) {
        Check.option(
                decay >= 0 && decay <= 1,
                "AveragingDecay: " + what + " must be from 0 to 1, got " + decay);
    }
}
