package org.slotwise.model;

import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * How the grouping of an {@link ObjectDiscovery} is made. Each kind is a record, whose numbers mean
 * what the options of the block of the same name do.
 */
public sealed interface GroupingConfiguration {

    /**
     * {@code SlotAttention}.
     *
     * @param iterations how many, T
     * @param heads how many heads
     * @param kvqDim the size of keys, values and queries
     * @param eps what is added to the attention
     * @param normEps what layer normalisations add to the variance
     * @param projectionBias whether projections have a bias
     * @param hidden the hidden size of the perceptron after the GRU; null for none
     * @param implicitDifferentiation whether gradients flow through one more iteration alone
     * @param trainingIterations how many in training; null for as many
     * @param hiddenNorm whether slots are normalised before that perceptron
     */
    record SlotAttention(
            int iterations,
            int heads,
            int kvqDim,
            double eps,
            double normEps,
            boolean projectionBias,
            @Nullable Integer hidden,
            boolean implicitDifferentiation,
            @Nullable Integer trainingIterations,
            boolean hiddenNorm)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param iterations as above
         * @param heads as above
         * @param kvqDim as above
         * @param eps as above
         * @param normEps as above
         * @param projectionBias as above
         * @param hidden as above
         * @param implicitDifferentiation as above
         * @param trainingIterations as above
         * @param hiddenNorm as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public SlotAttention {
            Limits.eps("GroupingConfiguration.SlotAttention", "eps", eps);
            Limits.normEps("GroupingConfiguration.SlotAttention", "normEps", normEps);
        }

        /**
         * Creates the description of one whose slots are normalised before the perceptron, as in
         * the paper.
         *
         * @param iterations as above
         * @param heads as above
         * @param kvqDim as above
         * @param eps as above
         * @param normEps as above
         * @param projectionBias as above
         * @param hidden as above
         * @param implicitDifferentiation as above
         * @param trainingIterations as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public SlotAttention(
                int iterations,
                int heads,
                int kvqDim,
                double eps,
                double normEps,
                boolean projectionBias,
                @Nullable Integer hidden,
                boolean implicitDifferentiation,
                @Nullable Integer trainingIterations) {
            this(
                    iterations,
                    heads,
                    kvqDim,
                    eps,
                    normEps,
                    projectionBias,
                    hidden,
                    implicitDifferentiation,
                    trainingIterations,
                    true);
        }
    }

    /**
     * {@code SteveSlotAttention}: what Latent Slot Diffusion has between its backbone and its
     * slots. Features lie on as many rows as columns; slots start by themselves.
     *
     * @param dim the size of a slot while it is refined
     * @param hidden the hidden size of the feed-forward
     * @param iterations how many, T
     * @param heads how many heads
     * @param eps what is added to the attention
     * @param learntStarts whether each slot starts from learnt values, not from a draw
     * @param inferenceSeed which draw inference starts from, the same for each image; null for a
     *     new one each time, and for learnt values
     */
    record SteveSlotAttention(
            int dim,
            int hidden,
            int iterations,
            int heads,
            double eps,
            boolean learntStarts,
            @Nullable Long inferenceSeed)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param dim as above
         * @param hidden as above
         * @param iterations as above
         * @param heads as above
         * @param eps as above
         * @param learntStarts as above
         * @param inferenceSeed as above
         * @throws IllegalArgumentException if a fraction is out of its range, or there is a seed
         *     for learnt values
         */
        public SteveSlotAttention {
            String who = "GroupingConfiguration.SteveSlotAttention";
            Limits.eps(who, "eps", eps);
            Check.option(
                    inferenceSeed == null || !learntStarts,
                    who + ": inferenceSeed must be null for learntStarts, got " + inferenceSeed);
        }
    }

    /**
     * {@code InvariantSlotAttention}: slots have positions.
     *
     * @param iterations how many in inference
     * @param trainingIterations how many in training
     * @param relativeDim the size of what slots are told of relative positions
     * @param frequencies how many frequencies these have
     * @param eps what is added to the attention
     * @param hidden the hidden size of the perceptron after the GRU; null for none
     * @param implicitDifferentiation whether gradients flow through the last iteration alone
     */
    record InvariantSlotAttention(
            int iterations,
            int trainingIterations,
            int relativeDim,
            int frequencies,
            double eps,
            @Nullable Integer hidden,
            boolean implicitDifferentiation)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param iterations as above
         * @param trainingIterations as above
         * @param relativeDim as above
         * @param frequencies as above
         * @param eps as above
         * @param hidden as above
         * @param implicitDifferentiation as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public InvariantSlotAttention {
            Limits.eps("GroupingConfiguration.InvariantSlotAttention", "eps", eps);
        }
    }

    /**
     * {@code SlotMixtureGrouping}: slots are the Gaussians of a mixture; their size is even. Where
     * the conditioning is {@link ConditioningConfiguration.None}, they start on features, by {@code
     * startOnFeatures}.
     *
     * @param iterations how many, T
     * @param eps what is added to responsibilities
     * @param leastVariance the least variance
     * @param likelihood how likelihoods are computed
     * @param hidden the hidden size of the perceptron after the GRU; null for none
     * @param implicitDifferentiation whether gradients flow through the last iteration alone
     * @param inferenceSeed which draw inference uses to choose the features that slots start on,
     *     the same for each image; null for a new one each time. Without effect where the
     *     conditioning tells what they start from
     */
    record SlotMixture(
            int iterations,
            double eps,
            double leastVariance,
            SlotMixtureGrouping.Likelihood likelihood,
            @Nullable Integer hidden,
            boolean implicitDifferentiation,
            @Nullable Long inferenceSeed)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param iterations as above
         * @param eps as above
         * @param leastVariance as above
         * @param likelihood as above
         * @param hidden as above
         * @param implicitDifferentiation as above
         * @param inferenceSeed as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public SlotMixture {
            Limits.eps("GroupingConfiguration.SlotMixture", "eps", eps);
            Check.notNegative("GroupingConfiguration.SlotMixture", "leastVariance", leastVariance);
        }
    }

    /**
     * {@code PlacedSlotAttention}: slots with a place and an extent, and one for the ground.
     *
     * @param iterations T
     * @param placeWeight how much places count beside what features are like, 0 to 10
     * @param eps what is added to the attention
     * @param hidden the hidden size of the feed-forward; null for none
     */
    record PlacedSlotAttention(
            int iterations, double placeWeight, double eps, @Nullable Integer hidden)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param iterations as above
         * @param placeWeight as above
         * @param eps as above
         * @param hidden as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public PlacedSlotAttention {
            String who = "GroupingConfiguration.PlacedSlotAttention";
            Limits.eps(who, "eps", eps);
            Check.notNegative(who, "placeWeight", placeWeight);
        }
    }

    /**
     * {@code StickBreakingGrouping}, without a rule to stop.
     *
     * @param kernelVar the kernel's width; null for the block's own
     * @param learnKernelVar whether it is learnt
     * @param detachFeatures whether masks pass no gradient to features
     * @param inputLayerNorm whether features are normalised first
     * @param inferenceSeed which draw inference uses to choose where clusters begin, the same for
     *     each image; null for a new one each time
     */
    record StickBreaking(
            @Nullable Double kernelVar,
            boolean learnKernelVar,
            boolean detachFeatures,
            boolean inputLayerNorm,
            @Nullable Long inferenceSeed)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param kernelVar as above
         * @param learnKernelVar as above
         * @param detachFeatures as above
         * @param inputLayerNorm as above
         * @param inferenceSeed as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public StickBreaking {
            if (kernelVar != null) {
                Check.positive("GroupingConfiguration.StickBreaking", "kernelVar", kernelVar);
            }
        }
    }

    /**
     * {@code KMeansGrouping}: nothing is learnt, slots are means of features and have their size.
     *
     * @param l2Normalization whether features are brought to one length
     * @param starts from how many random starts the best is kept
     * @param maxIterations how many iterations at most
     * @param tolerance when it has converged
     * @param seed of the starts; null for the engine's generator
     */
    record KMeans(
            boolean l2Normalization,
            int starts,
            int maxIterations,
            double tolerance,
            @Nullable Long seed)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param l2Normalization as above
         * @param starts as above
         * @param maxIterations as above
         * @param tolerance as above
         * @param seed as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public KMeans {
            Check.notNegative("GroupingConfiguration.KMeans", "tolerance", tolerance);
        }
    }

    /**
     * {@code SoftKMeansGrouping}: nothing is learnt, slots have the features' size.
     *
     * @param iterations how many
     * @param eps what is added to the attention
     * @param temperature what distances are divided by; null for the block's own
     */
    record SoftKMeans(int iterations, double eps, @Nullable Double temperature)
            implements GroupingConfiguration {

        /**
         * Creates the description.
         *
         * @param iterations as above
         * @param eps as above
         * @param temperature as above
         * @throws IllegalArgumentException if a fraction is out of its range
         */
        public SoftKMeans {
            Limits.eps("GroupingConfiguration.SoftKMeans", "eps", eps);
            if (temperature != null) {
                Check.positive("GroupingConfiguration.SoftKMeans", "temperature", temperature);
            }
        }
    }

    /**
     * {@code SlotMlp}, the baseline: it gives no attributions.
     *
     * @param hidden the size of hidden layers
     * @param hiddenLayers how many there are
     */
    record SlotMlp(int hidden, int hiddenLayers) implements GroupingConfiguration {}
}
