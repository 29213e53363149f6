package org.slotwise.diffusion;

import org.slotwise.internal.Check;

/** The times that a sampler visits, and how much noise there is. */
final class SampledTimes {

    private final NoiseSchedule schedule;
    private final int[] times;

    SampledTimes(NoiseSchedule schedule, int[] times) {
        this.schedule = schedule;
        this.times = times;
    }

    int[] all() {
        return times.clone();
    }

    int count() {
        return times.length;
    }

    boolean isLast(int index) {
        return index == times.length - 1;
    }

    double alphaBar(int index) {
        Check.option(
                index >= 0 && index < times.length,
                "Sampler: a step must be from 0 to " + (times.length - 1) + ", got " + index);
        return schedule.alphaBar(times[index]);
    }

    /** Where a step leads to; 1, no noise, after the last. */
    double nextAlphaBar(int index) {
        return isLast(index) ? 1 : alphaBar(index + 1);
    }
}
