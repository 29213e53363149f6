package org.slotwise.model;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * What the slots of an {@link ObjectDiscovery} start from. Each kind is a record.
 *
 * <p>Where a start is random, {@code inferenceSeed} makes inference repeatable: each image starts
 * from the same draw, whatever batch it is in. Null draws anew with the engine's generator.
 * Training always draws anew.
 */
public sealed interface ConditioningConfiguration {

    /**
     * Draws from one normal distribution: {@code RandomConditioning}.
     *
     * @param learnMean whether the mean is learnt
     * @param learnDeviation whether the deviation is learnt
     * @param quasiRandom whether the slots of an image are spread evenly
     * @param inferenceSeed which draw inference uses; null for a new one each time
     */
    record Random(
            boolean learnMean,
            boolean learnDeviation,
            boolean quasiRandom,
            @Nullable Long inferenceSeed)
            implements ConditioningConfiguration {}

    /** Learnt values, each slot its own: {@code LearntConditioning}. */
    record Learnt() implements ConditioningConfiguration {}

    /**
     * Draws from a normal distribution for each slot: {@code SlotwiseLearntConditioning}.
     *
     * @param inferenceSeed which draw inference uses; null for a new one each time
     */
    record SlotwiseLearnt(@Nullable Long inferenceSeed) implements ConditioningConfiguration {}

    /**
     * The means of the clusters that k-means finds among an image's features, through a learnt
     * linear map.
     *
     * <pre>{@code
     * s_k = W mean(features of cluster k) + b
     * }</pre>
     *
     * @param starts from how many random starts the best clusters are kept in inference, which is
     *     always seeded; training uses one
     * @param trainingIterations how many iterations k-means makes at most in training
     */
    record Clusters(int starts, int trainingIterations) implements ConditioningConfiguration {

        /**
         * Creates the description.
         *
         * @param starts at least 1
         * @param trainingIterations at least 1
         * @throws IllegalArgumentException if a number is below 1
         */
        public Clusters {
            String who = "ConditioningConfiguration.Clusters";
            Check.atLeast(who, "starts", starts, 1);
            Check.atLeast(who, "trainingIterations", trainingIterations, 1);
        }
    }

    /**
     * Features of the image, drawn at random and each once, through a learnt linear map.
     *
     * @param inferenceSeed which features inference draws; null for others each time
     */
    record RandomFeatures(@Nullable Long inferenceSeed) implements ConditioningConfiguration {}

    /**
     * One vector for all slots, drawn once and not learnt, and a place for each on a grid: for
     * groupings whose slots have positions.
     *
     * @param rows from 0 to 1: slots at each row
     * @param columns from 0 to 1: in each column
     * @param jitter by how much places are moved at most in training
     */
    record Grid(List<Double> rows, List<Double> columns, double jitter)
            implements ConditioningConfiguration {

        /**
         * Creates the description.
         *
         * @param rows at least one
         * @param columns at least one; rows times columns is the number of slots
         * @param jitter at least 0
         * @throws IllegalArgumentException if there are none, or a number is out of its range
         */
        public Grid {
            String who = "ConditioningConfiguration.Grid";
            rows = List.copyOf(rows);
            columns = List.copyOf(columns);
            places(who, "rows", rows);
            places(who, "columns", columns);
            Check.notNegative(who, "jitter", jitter);
        }

        private static void places(String who, String what, List<Double> places) {
            Check.option(
                    !places.isEmpty() && places.stream().allMatch(p -> p >= 0 && p <= 1),
                    who + ": " + what + " must be numbers from 0 to 1, got " + places);
        }
    }

    /**
     * One vector for all slots, drawn once and not learnt, and pixels of like colour for each, as
     * stick-breaking finds them; slots for which no pixels are left stay empty. For groupings that
     * refine a guess.
     *
     * @param stride every how many rows and columns there is a feature
     */
    record Colours(int stride) implements ConditioningConfiguration {

        /**
         * Creates the description.
         *
         * @param stride at least 1: that of the encoder
         * @throws IllegalArgumentException if it is below 1
         */
        public Colours {
            Check.atLeast("ConditioningConfiguration.Colours", "stride", stride, 1);
        }
    }

    /** Nothing: the grouping starts by itself, as k-means and stick-breaking do. */
    record None() implements ConditioningConfiguration {}
}
