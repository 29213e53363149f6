package org.slotwise.diffusion;

import org.slotwise.internal.Check;

/**
 * Which times a sampler visits.
 *
 * @param count n, how many; 0 for all
 * @param spacing how they lie
 * @param offset what is added to each of LEADING; 0 otherwise
 */
public record TimeChoice(int count, TimestepSpacing spacing, int offset) {

    /**
     * Creates a choice.
     *
     * @param count n, how many; 0 for all
     * @param spacing how they lie
     * @param offset what is added to each of LEADING; 0 otherwise
     * @throws IllegalArgumentException if a number is below 0
     */
    public TimeChoice {
        Check.atLeast("TimeChoice", "count", count, 0);
        Check.atLeast("TimeChoice", "offset", offset, 0);
    }

    /**
     * All times.
     *
     * @return the choice
     */
    public static TimeChoice all() {
        return new TimeChoice(0, TimestepSpacing.LEADING, 0);
    }

    /**
     * Times that lie evenly from 0 on, as DDPM and DDIM visit them in diffusers.
     *
     * @param count n
     * @return the choice
     * @throws IllegalArgumentException if it is below 1
     */
    public static TimeChoice leading(int count) {
        Check.atLeast("TimeChoice", "count", count, 1);
        return new TimeChoice(count, TimestepSpacing.LEADING, 0);
    }

    /**
     * Times that lie evenly from the highest down: those that a schedule with a zero terminal SNR
     * needs.
     *
     * @param count n
     * @return the choice
     * @throws IllegalArgumentException if it is below 1
     */
    public static TimeChoice trailing(int count) {
        Check.atLeast("TimeChoice", "count", count, 1);
        return new TimeChoice(count, TimestepSpacing.TRAILING, 0);
    }

    /** The times of DDPM and DDIM. */
    int[] of(NoiseSchedule schedule) {
        int steps = schedule.steps();
        return spacing.times(steps, count == 0 ? steps : count, offset);
    }

    /** The times of DPM-Solver. */
    int[] ofSolver(NoiseSchedule schedule) {
        int steps = schedule.steps();
        return spacing.solverTimes(steps, count == 0 ? spacing.mostOfSolver(steps) : count, offset);
    }
}
