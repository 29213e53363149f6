package org.slotwise.training;

import ai.djl.training.tracker.Tracker;
import org.slotwise.internal.Check;

/**
 * A learning rate as a function of the step, in double precision.
 *
 * <p>Steps count from 1: the first update of the parameters is step 1. Every DJL optimizer takes
 * one; {@link Adam} uses the full precision, DJL's own round to float.
 *
 * <p>Being a function of the step alone, a learning rate has no state to be saved.
 */
@FunctionalInterface
public interface LearningRate extends Tracker {

    /**
     * The learning rate of a step.
     *
     * @param step the number of the update, from 1
     * @return the learning rate
     */
    double at(long step);

    /**
     * The learning rate of a step, for DJL.
     *
     * @param numUpdate the number of the update, from 1
     * @return {@link #at} as a float
     */
    @Override
    default float getNewValue(int numUpdate) {
        return (float) at(numUpdate);
    }

    /**
     * The same at every step.
     *
     * @param rate the learning rate, at least 0
     * @return the learning rate
     * @throws IllegalArgumentException if the rate is negative or not finite
     */
    static LearningRate constant(double rate) {
        rate("rate", rate);
        return step -> rate;
    }

    /**
     * Linear warm-up, then the same at every step.
     *
     * <pre>{@code
     * peak * min(step / warmUpSteps, 1)
     * }</pre>
     *
     * @param peak the rate after the warm-up, at least 0
     * @param warmUpSteps how many steps the warm-up takes; 0 for none
     * @return the learning rate
     * @throws IllegalArgumentException if a number is out of its range
     */
    static LearningRate warmUp(double peak, long warmUpSteps) {
        rate("peak", peak);
        warmUp(warmUpSteps);
        return step -> peak * warmedUp(step, warmUpSteps);
    }

    /**
     * Linear warm-up and exponential decay, both from the first step on.
     *
     * <p>Source: the training code published with Locatello et al., "Object-Centric Learning with
     * Slot Attention" (2020); there peak 4e-4, 10000 warm-up steps, decay to 0.5 within 100000
     * steps.
     *
     * <pre>{@code
     * peak * min(step / warmUpSteps, 1) * decayRate^(step / decaySteps)
     * }</pre>
     *
     * <p>How this differs from the source: that code counts steps from 0, so that the first update
     * has rate 0 and all others come one step later.
     *
     * @param peak the rate without warm-up and decay, at least 0
     * @param warmUpSteps how many steps the warm-up takes; 0 for none
     * @param decaySteps how many steps a decay by {@code decayRate} takes, at least 1
     * @param decayRate what is left after {@code decaySteps}, above 0 and at most 1
     * @return the learning rate
     * @throws IllegalArgumentException if a number is out of its range
     */
    static LearningRate exponentialDecay(
            double peak, long warmUpSteps, long decaySteps, double decayRate) {
        rate("peak", peak);
        Check.option(
                decaySteps > 0, "LearningRate: decaySteps must be at least 1, got " + decaySteps);
        Check.option(
                decayRate > 0 && decayRate <= 1,
                "LearningRate: decayRate must be above 0 and at most 1, got " + decayRate);
        warmUp(warmUpSteps);
        return step ->
                peak
                        * warmedUp(step, warmUpSteps)
                        * Math.pow(decayRate, (double) step / (double) decaySteps);
    }

    /**
     * Linear warm-up, then half a cosine down to a floor, where the rate stays.
     *
     * <p>Source: Loshchilov and Hutter, "SGDR" (2017), equation 5, without restarts.
     *
     * <pre>{@code
     * peak * step / warmUpSteps                                  up to warmUpSteps
     * floor + (peak - floor) * (1 + cos(pi * progress)) / 2      after that, where
     * progress = min((step - warmUpSteps) / (totalSteps - warmUpSteps), 1)
     * }</pre>
     *
     * @param peak the rate at the end of the warm-up, at least 0
     * @param warmUpSteps how many steps the warm-up takes; 0 for none
     * @param totalSteps the step at which the floor is reached, above {@code warmUpSteps}
     * @param floor the lowest rate of the decay, from 0 to {@code peak}
     * @return the learning rate
     * @throws IllegalArgumentException if a number is out of its range
     */
    static LearningRate cosineDecay(double peak, long warmUpSteps, long totalSteps, double floor) {
        rate("peak", peak);
        warmUp(warmUpSteps);
        Check.option(
                totalSteps > warmUpSteps,
                "LearningRate: totalSteps must be above the "
                        + warmUpSteps
                        + " warm-up steps, got "
                        + totalSteps);
        Check.option(
                floor >= 0 && floor <= peak,
                "LearningRate: floor must be from 0 to peak " + peak + ", got " + floor);
        double decaySteps = (double) (totalSteps - warmUpSteps);
        return step -> {
            if (step <= warmUpSteps) {
                return peak * warmedUp(step, warmUpSteps);
            }
            double progress = Math.min((double) (step - warmUpSteps) / decaySteps, 1);
            return floor + (peak - floor) * (1 + Math.cos(Math.PI * progress)) / 2;
        };
    }

    private static double warmedUp(long step, long warmUpSteps) {
        return step < warmUpSteps ? (double) step / (double) warmUpSteps : 1;
    }

    private static void rate(String what, double rate) {
        Check.option(
                rate >= 0 && Double.isFinite(rate),
                "LearningRate: " + what + " must be at least 0 and finite, got " + rate);
    }

    private static void warmUp(long steps) {
        Check.option(steps >= 0, "LearningRate: warmUpSteps must be at least 0, got " + steps);
    }
}
