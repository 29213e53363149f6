package org.slotwise.gnm;

import org.slotwise.internal.Check;

/**
 * A number that changes with the steps of a training: one value before it starts, another when it
 * has ended, and evenly between.
 *
 * <pre>{@code
 * v = first + (last - first) (step - start) / (end - start)        where start < step < end
 * }</pre>
 *
 * @param start the last step of the first value
 * @param end the first step of the last value, at least the start
 * @param first the value up to the start
 * @param last the value from the end on
 */
public record Ramp(long start, long end, double first, double last) {

    /**
     * Creates the ramp.
     *
     * @param start at least 0
     * @param end at least the start
     * @param first finite
     * @param last finite
     * @throws IllegalArgumentException if a number is out of its range
     */
    public Ramp {
        Check.atLeast("Ramp", "start", start, 0);
        Check.atLeast("Ramp", "end", end, start);
        Check.option(
                Double.isFinite(first) && Double.isFinite(last),
                "Ramp: values must be finite, got " + first + " and " + last);
    }

    /**
     * A number that never changes.
     *
     * @param value finite
     * @return the ramp
     */
    public static Ramp constant(double value) {
        return new Ramp(0, 0, value, value);
    }

    /**
     * The value at a step.
     *
     * @param step from 0, as the original counts: the first batch is step 0
     * @return a number from the first to the last value
     */
    public double at(long step) {
        if (step >= end) {
            return last;
        }
        if (step <= start) {
            return first;
        }
        return first + (last - first) * (step - start) / (end - start);
    }
}
