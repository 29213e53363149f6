package org.slotwise.diffusion;

/**
 * A {@link NoiseSchedule} by the numbers that files have of it.
 *
 * @param curve how betas grow
 * @param steps T, how many times there are
 * @param first beta(0); of no meaning for the cosine
 * @param last beta(T - 1); of no meaning for the cosine
 * @param zeroTerminalSnr whether it is stretched such that the last time has nothing but noise
 */
public record BetaSchedule(
        Curve curve, int steps, double first, double last, boolean zeroTerminalSnr) {

    /** How betas grow. */
    public enum Curve {
        /** {@link NoiseSchedule#linear}. */
        LINEAR("linear"),
        /** {@link NoiseSchedule#scaledLinear}. */
        SCALED_LINEAR("scaled_linear"),
        /** {@link NoiseSchedule#cosine}. */
        COSINE("squaredcos_cap_v2");

        /** What diffusers calls it. */
        final String theirs;

        Curve(String theirs) {
            this.theirs = theirs;
        }
    }

    /**
     * Creates the description.
     *
     * @param curve how betas grow
     * @param steps at least 1, with a zero terminal SNR at least 2
     * @param first above 0 and below 1
     * @param last above 0 and below 1
     * @param zeroTerminalSnr whether the last time has nothing but noise
     * @throws IllegalArgumentException if a number is out of its range
     */
    public BetaSchedule {
        schedule(curve, steps, first, last, zeroTerminalSnr);
    }

    /**
     * The schedule.
     *
     * @return computed anew
     */
    public NoiseSchedule schedule() {
        return schedule(curve, steps, first, last, zeroTerminalSnr);
    }

    private static NoiseSchedule schedule(
            Curve curve, int steps, double first, double last, boolean zeroTerminalSnr) {
        NoiseSchedule schedule =
                switch (curve) {
                    case LINEAR -> NoiseSchedule.linear(steps, first, last);
                    case SCALED_LINEAR -> NoiseSchedule.scaledLinear(steps, first, last);
                    case COSINE -> NoiseSchedule.cosine(steps);
                };
        return zeroTerminalSnr ? schedule.withZeroTerminalSnr() : schedule;
    }
}
