package org.slotwise.diffusion;

import java.util.stream.IntStream;
import org.slotwise.internal.Check;

/**
 * Which n of T times a sampler visits. Halves are rounded to the even number.
 *
 * <pre>{@code
 *              DDPM, DDIM                             DPM-Solver
 * LEADING      i (T / n) + offset, i = 0 ... n - 1    i (T / (n + 1)) + offset, i = 1 ... n
 * LINSPACE     round(linspace(0, T - 1, n))           round(linspace(0, T - 1, n + 1)) without 0
 * TRAILING     round(T - i T / n) - 1                 the same
 * }</pre>
 *
 * <p>Divisions of LEADING are of whole numbers. These are the times of diffusers; Lin et al.,
 * "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2024), table 2, tells them apart.
 */
public enum TimestepSpacing {
    /** Evenly from the lowest time on, the highest is not reached. */
    LEADING {
        @Override
        IntStream ascending(int steps, int count) {
            return IntStream.range(0, count).map(i -> i * (steps / count));
        }

        @Override
        IntStream ascendingAboveZero(int steps, int count) {
            return IntStream.rangeClosed(1, count).map(i -> i * (steps / (count + 1)));
        }
    },
    /** Evenly from the lowest time to the highest. */
    LINSPACE {
        @Override
        IntStream ascending(int steps, int count) {
            double width = count == 1 ? 0 : (steps - 1.0) / (count - 1);
            return IntStream.range(0, count).map(i -> (int) Math.rint(i * width));
        }

        @Override
        IntStream ascendingAboveZero(int steps, int count) {
            double width = (steps - 1.0) / count;
            return IntStream.rangeClosed(1, count).map(i -> (int) Math.rint(i * width));
        }
    },
    /**
     * Evenly from the highest time down; time 0 is reached by more than two thirds of all times.
     */
    TRAILING {
        @Override
        IntStream ascending(int steps, int count) {
            double width = (double) steps / count;
            return IntStream.range(0, count)
                    .map(i -> (int) Math.rint(steps - (count - 1 - i) * width) - 1);
        }

        @Override
        IntStream ascendingAboveZero(int steps, int count) {
            return ascending(steps, count);
        }
    };

    abstract IntStream ascending(int steps, int count);

    abstract IntStream ascendingAboveZero(int steps, int count);

    /**
     * The times of DDPM and DDIM.
     *
     * @param steps T
     * @param count n, from 1 to T
     * @param offset what is added to each of LEADING; 0 for the others
     * @return n times, descending
     * @throws IllegalArgumentException if a number is out of its range, or a time would be
     */
    public int[] times(int steps, int count, int offset) {
        return checked(steps, count, offset, ascending(steps, checkedCount(steps, count)));
    }

    /**
     * The times of DPM-Solver. Of LEADING and LINSPACE none is 0; TRAILING has the same as {@link
     * #times}, of which the last is 0 where n is above 2 T / 3.
     *
     * @param steps T
     * @param count n, from 1 to T - 1; to T with TRAILING
     * @param offset what is added to each of LEADING; 0 for the others
     * @return n times, descending
     * @throws IllegalArgumentException if a number is out of its range, or a time would be
     */
    public int[] solverTimes(int steps, int count, int offset) {
        checkedCount(mostOfSolver(steps), count);
        return checked(steps, count, offset, ascendingAboveZero(steps, count));
    }

    /** How many times DPM-Solver can visit. */
    int mostOfSolver(int steps) {
        return this == TRAILING ? steps : steps - 1;
    }

    private static int checkedCount(int steps, int count) {
        Check.option(
                count >= 1 && count <= steps,
                "TimestepSpacing: the number of steps must be from 1 to "
                        + steps
                        + ", got "
                        + count);
        return count;
    }

    private int[] checked(int steps, int count, int offset, IntStream ascending) {
        String who = "TimestepSpacing";
        Check.option(
                offset >= 0 && (offset == 0 || this == LEADING),
                who + ": offset must be 0, or at least 0 with LEADING, got " + offset);
        int[] up = ascending.toArray();
        int[] down = IntStream.range(0, count).map(i -> up[count - 1 - i] + offset).toArray();
        Check.option(
                down[0] < steps,
                who + ": times must be below " + steps + ", got " + down[0] + " with this offset");
        return down;
    }
}
