package org.slotwise.quantization;

import ai.djl.training.tracker.Tracker;
import org.slotwise.internal.Check;

/**
 * A temperature that falls from step to step along half a cosine, down to where it stays.
 *
 * <p>Source: the code of Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose" (2022), there
 * from 1 to 0.1 in 30,000 steps.
 *
 * <pre>{@code
 * end + (start - end) * (1 + cos(pi * min(step / steps, 1))) / 2
 * }</pre>
 *
 * @param start the temperature at step 0, above 0
 * @param end the temperature from step {@code steps} on, above 0 and at most {@code start}
 * @param steps how many steps the fall takes, at least 1
 */
public record CosineTemperature(double start, double end, long steps) implements Tracker {

    /**
     * Creates the schedule.
     *
     * @param start the temperature at step 0, above 0
     * @param end the temperature from step {@code steps} on, above 0 and at most {@code start}
     * @param steps how many steps the fall takes, at least 1
     * @throws IllegalArgumentException if a number is out of its range
     */
    public CosineTemperature {
        String who = "CosineTemperature";
        Check.positive(who, "start", start);
        Check.option(
                end > 0 && end <= start,
                who + ": end must be above 0 and at most start " + start + ", got " + end);
        Check.atLeast(who, "steps", steps, 1);
    }

    /**
     * The temperature of a step.
     *
     * @param step the number of the step, 0 for the first update; below 0 counts as 0
     * @return the temperature
     */
    public double at(long step) {
        double progress = Math.min(Math.max((double) step, 0) / (double) steps, 1);
        return end + (start - end) * (1 + Math.cos(Math.PI * progress)) / 2;
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
