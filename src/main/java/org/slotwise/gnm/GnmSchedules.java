package org.slotwise.gnm;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * How temperature, weights, priors and curriculum change with the steps of a training.
 *
 * @param temperature of relaxed presence
 * @param weights of the loss's terms; 1 where there is none
 * @param presencePrior the fixed probability of an object; null to leave it to the buffer
 * @param sizePrior the mean of the fixed prior of size; null to leave it to the buffer
 * @param curriculum when objects must explain the picture; null for never
 */
public record GnmSchedules(
        Ramp temperature,
        Map<GnmTerm, Ramp> weights,
        @Nullable Ramp presencePrior,
        @Nullable Ramp sizePrior,
        @Nullable Curriculum curriculum) {

    /**
     * Creates the schedules.
     *
     * @param temperature above 0 at all steps
     * @param weights at least 0 at all steps
     * @param presencePrior above 0 and below 1 at all steps
     * @param sizePrior the mean of the fixed prior of size
     * @param curriculum when objects must explain the picture
     * @throws IllegalArgumentException if a number is out of its range
     */
    public GnmSchedules {
        weights = GnmTerm.ordered(weights);
        for (long step : new long[] {0, Long.MAX_VALUE}) {
            setting(step, temperature, weights, presencePrior, sizePrior, null);
        }
    }

    /**
     * When objects must explain the picture, whatever their alphas: how much of each pixel is
     * theirs does not depend on them then.
     *
     * @param after the last step before it, which is without it
     * @param before the first step after it
     * @param covered how much of each pixel is theirs, from 0 to 1
     */
    public record Curriculum(long after, long before, double covered) {

        /**
         * Creates the curriculum.
         *
         * @param after at least -1: 0 leaves the first step without it, as the original does
         * @param before at least {@code after}
         * @param covered from 0 to 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Curriculum {
            String who = "GnmSchedules.Curriculum";
            Check.atLeast(who, "after", after, -1);
            Check.atLeast(who, "before", before, after);
            Check.option(
                    covered >= 0 && covered <= 1,
                    who + ": covered must be from 0 to 1, got " + covered);
        }

        boolean at(long step) {
            return step > after && step < before;
        }
    }

    /**
     * Those of HHousen's {@code object-discovery-pytorch}, for trainings of hundreds of thousands
     * of steps.
     *
     * @return the schedules
     */
    public static GnmSchedules objectDiscoveryPytorch() {
        return new GnmSchedules(
                new Ramp(1000, 20_000, 1, 0.5),
                Map.of(
                        GnmTerm.SCENE, new Ramp(0, 100_000, 0, 1),
                        GnmTerm.FIXED_WHERE, new Ramp(0, 500, 10, 1),
                        GnmTerm.FIXED_BACKGROUND, new Ramp(0, 50_000, 50, 1)),
                new Ramp(0, 4000, 0.1, 0.001),
                null,
                new Curriculum(0, 500, 0.9));
    }

    /**
     * Those that make a small model find objects within some thousand steps: presence is probable
     * at first, and objects must explain the picture before the background may. Beside {@link
     * GnmStart#likelyObjects}.
     *
     * @return the schedules
     */
    public static GnmSchedules likelyObjects() {
        return new GnmSchedules(
                new Ramp(1000, 3500, 1, 0.5),
                Map.of(
                        GnmTerm.PRESENCE, new Ramp(0, 3000, 0.02, 1),
                        GnmTerm.WHERE, new Ramp(0, 3000, 0.02, 1),
                        GnmTerm.DEPTH, new Ramp(0, 3000, 0.02, 1),
                        GnmTerm.WHAT, new Ramp(0, 3000, 0.02, 1),
                        GnmTerm.SCENE, new Ramp(3000, 9000, 0.05, 1),
                        GnmTerm.FIXED_PRESENCE, new Ramp(1000, 3000, 50, 1)),
                new Ramp(1000, 3000, 0.9, 0.001),
                null,
                new Curriculum(0, 1000, 1));
    }

    /**
     * What a step takes.
     *
     * @param step from 0, as the original counts: the first batch is step 0
     * @return the setting
     * @throws IllegalArgumentException if the step is negative
     */
    public GnmSetting at(long step) {
        Check.atLeast("GnmSchedules", "step", step, 0);
        return setting(step, temperature, weights, presencePrior, sizePrior, curriculum);
    }

    private static GnmSetting setting(
            long step,
            Ramp temperature,
            Map<GnmTerm, Ramp> weights,
            @Nullable Ramp presence,
            @Nullable Ramp size,
            @Nullable Curriculum curriculum) {
        return new GnmSetting(
                temperature.at(step),
                GnmSetting.weights(weights, step),
                presence == null ? null : (Double) presence.at(step),
                size == null ? null : (Double) size.at(step),
                curriculum != null && curriculum.at(step) ? (Double) curriculum.covered() : null);
    }
}
