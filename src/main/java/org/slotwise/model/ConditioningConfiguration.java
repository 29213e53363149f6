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
     * The means of the features of the clusters that k-means finds among an image's colours,
     * through a learnt linear map.
     *
     * <pre>{@code
     * s_k = W mean(features whose colours are in cluster k) + b
     * }</pre>
     *
     * <p>Colours are averaged over the pixels that a feature stands for, and over those around it.
     * Unlike features, they tell things apart before anything has been learnt.
     *
     * @param patchSize height and width of the pixels that a feature stands for: the encoder's
     *     stride
     * @param around over how many of them, in height and width, colours are averaged: odd, 1 for
     *     one
     * @param starts from how many random starts the best clusters are kept in inference, which is
     *     always seeded; training uses one
     * @param trainingIterations how many iterations k-means makes at most in training
     */
    record ColourClusters(int patchSize, int around, int starts, int trainingIterations)
            implements ConditioningConfiguration {
        /**
         * Creates the description.
         *
         * @param patchSize at least 1
         * @param around odd, at least 1
         * @param starts at least 1
         * @param trainingIterations at least 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public ColourClusters {
            String who = "ConditioningConfiguration.ColourClusters";
            Check.atLeast(who, "patchSize", patchSize, 1);
            Check.option(
                    around > 0 && around % 2 == 1,
                    who + ": around must be odd, and at least 1, got " + around);
            Check.atLeast(who, "starts", starts, 1);
            Check.atLeast(who, "trainingIterations", trainingIterations, 1);
        }
    }

    /**
     * The means of the features of the ground, first, and of clusters of what differs from it,
     * through a learnt linear map; and what belongs to each of them as a guess, for groupings that
     * take one.
     *
     * <pre>{@code
     * u = min(1, d² / tolerance²)     d: distance of a patch's colour to the second nearest along
     *                                 the border; the lesser of the patches' own u, and of that of
     *                                 their means over 3 x 3
     * ground where the mean of u over 3 x 3 is at most 1/2
     * clusters, by k-means, of        [colour, placeWeight * place] of the other patches, colours
     *                                 averaged over the other patches around
     * }</pre>
     *
     * <p>There are as few clusters as have a root mean squared distance to their centres of at most
     * {@code spread}, and not more than slots but for the ground's; slots that are left over are
     * empty.
     *
     * @param patchSize height and width of the pixels that a feature stands for: the encoder's
     *     stride
     * @param around over how many of them, in height and width, colours of clusters are averaged:
     *     odd, 1 for one
     * @param placeWeight how much a place counts beside a colour: 1 if from one end of the picture
     *     to the other is as far as from none of a channel to all of it
     * @param tolerance from what distance on a colour is none of the border's
     * @param spread how far, in the mean, what belongs to a cluster may be from its centre
     * @param starts from how many random starts the best clusters are kept in inference, which is
     *     always seeded; training uses one
     * @param trainingIterations how many iterations k-means makes at most in training
     */
    record GroundAndClusters(
            int patchSize,
            int around,
            double placeWeight,
            double tolerance,
            double spread,
            int starts,
            int trainingIterations)
            implements ConditioningConfiguration {
        /**
         * Creates the description.
         *
         * @param patchSize at least 1
         * @param around odd, at least 1
         * @param placeWeight at least 0
         * @param tolerance above 0
         * @param spread at least 0; with 0 all slots get a cluster where colours and places differ
         * @param starts at least 1
         * @param trainingIterations at least 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public GroundAndClusters {
            String who = "ConditioningConfiguration.GroundAndClusters";
            Check.atLeast(who, "patchSize", patchSize, 1);
            Check.option(
                    around > 0 && around % 2 == 1,
                    who + ": around must be odd, and at least 1, got " + around);
            Check.notNegative(who, "placeWeight", placeWeight);
            Check.positive(who, "tolerance", tolerance);
            Check.notNegative(who, "spread", spread);
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
