package org.slotwise.quantization;

import ai.djl.training.tracker.Tracker;
import org.slotwise.internal.Check;

/**
 * A temperature that falls from step to step: by the same factor each time, down to where it stays.
 *
 * <p>Source: the annealing of Jang et al., "Categorical Reparameterization with Gumbel-Softmax"
 * (2017).
 *
 * <pre>{@code
 * start * (end / start)^min(step / steps, 1)
 * }</pre>
 *
 * @param start the temperature at step 0, above 0
 * @param end the temperature from step {@code steps} on, above 0 and at most {@code start}
 * @param steps how many steps the fall takes, at least 1
 */
public record AnnealedTemperature(double start, double end, long steps) implements Tracker {

    /**
     * Creates the schedule.
     *
     * @param start the temperature at step 0, above 0
     * @param end the temperature from step {@code steps} on, above 0 and at most {@code start}
     * @param steps how many steps the fall takes, at least 1
     * @throws IllegalArgumentException if a number is out of its range
     */
    public AnnealedTemperature {
        String who = "AnnealedTemperature";
        Check.option(
                start > 0 && start < Double.POSITIVE_INFINITY,
                who + ": start must be above 0 and finite, got " + start);
        Check.option(
                end > 0 && end <= start,
                who + ": end must be above 0 and at most start " + start + ", got " + end);
        Check.atLeast(who, "steps", steps, 1);
    }

    /**
     * The temperature of a step.
     *
     * @param step the number of the step; below 0 counts as 0
     * @return the temperature
     */
    public double at(long step) {
        double progress = Math.min(Math.max((double) step, 0) / (double) steps, 1);
        return start * Math.pow(end / start, progress);
    }

    /**
     * The temperature of a step, for DJL.
     *
     * @param numUpdate the number of the step
     * @return {@link #at} as a float
     */
    @Override
    public float getNewValue(int numUpdate) {
        return (float) at(numUpdate);
    }
}
