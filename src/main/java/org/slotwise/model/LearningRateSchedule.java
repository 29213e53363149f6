package org.slotwise.model;

import org.slotwise.internal.Check;
import org.slotwise.training.LearningRate;

/**
 * A learning rate over a training: linear warm-up, then a decay.
 *
 * <pre>{@code
 * w = min(step / warmUpSteps, 1)
 * t = max(step - decayFrom, 0) / decaySteps
 * none         peak w
 * exponential  peak w decayTo^t
 * cosine       peak w (decayTo + (1 - decayTo) (1 + cos(pi min(t, 1))) / 2)
 * }</pre>
 *
 * @param peak the highest rate
 * @param warmUpSteps how many steps the warm-up takes; 0 for none
 * @param decay its form
 * @param decayFrom the step after which it begins
 * @param decaySteps how long it takes to reach {@code decayTo}
 * @param decayTo what is left of the peak then
 */
public record LearningRateSchedule(
        double peak, int warmUpSteps, Decay decay, int decayFrom, int decaySteps, double decayTo) {

    private static final String WHO = "LearningRateSchedule";

    /** The form of a decay. */
    public enum Decay {
        /** The rate stays at its peak. */
        NONE,

        /** The same factor each step, without end. */
        EXPONENTIAL,

        /** Half a cosine, then constant. */
        COSINE
    }

    /**
     * Creates the schedule.
     *
     * @param peak above 0
     * @param warmUpSteps at least 0
     * @param decay its form
     * @param decayFrom at least 0
     * @param decaySteps at least 1
     * @param decayTo from 0 to 1, above 0 if exponential
     * @throws IllegalArgumentException if a number is out of its range
     */
    public LearningRateSchedule {
        Check.positive(WHO, "peak", peak);
        Check.atLeast(WHO, "warmUpSteps", warmUpSteps, 0);
        Check.atLeast(WHO, "decayFrom", decayFrom, 0);
        Check.atLeast(WHO, "decaySteps", decaySteps, 1);
        Check.option(
                decayTo >= (decay == Decay.EXPONENTIAL ? Double.MIN_NORMAL : 0) && decayTo <= 1,
                WHO + ": decayTo must be from 0 to 1, above 0 if exponential, got " + decayTo);
    }

    /**
     * The same rate at every step.
     *
     * @param rate above 0
     * @return the schedule
     */
    public static LearningRateSchedule constant(double rate) {
        return new LearningRateSchedule(rate, 0, Decay.NONE, 0, 1, 1);
    }

    /**
     * The paper's: 4e-4, a warm-up of 10,000 steps, and half of it every 100,000 steps.
     *
     * @return the schedule
     */
    public static LearningRateSchedule paper() {
        return new LearningRateSchedule(4e-4, 10_000, Decay.EXPONENTIAL, 0, 100_000, 0.5);
    }

    /**
     * A warm-up of a twentieth of all steps, and a cosine to a hundredth of the peak.
     *
     * @param peak above 0
     * @param steps how many the training has, at least 1
     * @return the schedule
     */
    public static LearningRateSchedule cosine(double peak, int steps) {
        Check.atLeast(WHO, "steps", steps, 1);
        int warmUp = steps / 20;
        return new LearningRateSchedule(
                peak, warmUp, Decay.COSINE, warmUp, Math.max(1, steps - warmUp), 0.01);
    }

    /** The same with another peak. */
    LearningRateSchedule withPeak(double other) {
        return new LearningRateSchedule(other, warmUpSteps, decay, decayFrom, decaySteps, decayTo);
    }

    /** The same over another number of steps. */
    LearningRateSchedule stretched(double factor) {
        return new LearningRateSchedule(
                peak,
                scaled(warmUpSteps, factor),
                decay,
                scaled(decayFrom, factor),
                Math.max(1, scaled(decaySteps, factor)),
                decayTo);
    }

    private static int scaled(int steps, double factor) {
        return (int) Math.min(Integer.MAX_VALUE, Math.round(steps * factor));
    }

    /**
     * The rate as a function of the step, for an optimizer.
     *
     * @return the rate
     */
    public LearningRate rate() {
        return step -> {
            double w = step < warmUpSteps ? (double) step / warmUpSteps : 1;
            double t = (double) Math.max(step - decayFrom, 0) / decaySteps;
            return peak
                    * w
                    * switch (decay) {
                        case NONE -> 1;
                        case EXPONENTIAL -> Math.pow(decayTo, t);
                        case COSINE ->
                                decayTo
                                        + (1 - decayTo)
                                                * (1 + Math.cos(Math.PI * Math.min(t, 1)))
                                                / 2;
                    };
        };
    }
}
