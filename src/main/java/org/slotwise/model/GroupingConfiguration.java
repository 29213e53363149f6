package org.slotwise.model;

import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotMixtureGrouping;

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
     */
    record SlotAttention(
            int iterations,
            int heads,
            int kvqDim,
            double eps,
            double normEps,
            boolean projectionBias,
            @Nullable Integer hidden,
            boolean implicitDifferentiation)
            implements GroupingConfiguration {}

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
            implements GroupingConfiguration {}

    /**
     * {@code SlotMixtureGrouping}: slots are the Gaussians of a mixture; their size is even.
     *
     * @param iterations how many, T
     * @param eps what is added to responsibilities
     * @param leastVariance the least variance
     * @param likelihood how likelihoods are computed
     * @param hidden the hidden size of the perceptron after the GRU; null for none
     * @param implicitDifferentiation whether gradients flow through the last iteration alone
     */
    record SlotMixture(
            int iterations,
            double eps,
            double leastVariance,
            SlotMixtureGrouping.Likelihood likelihood,
            @Nullable Integer hidden,
            boolean implicitDifferentiation)
            implements GroupingConfiguration {}

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
            implements GroupingConfiguration {}

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
            implements GroupingConfiguration {}

    /**
     * {@code SoftKMeansGrouping}: nothing is learnt, slots have the features' size.
     *
     * @param iterations how many
     * @param eps what is added to the attention
     * @param temperature what distances are divided by; null for the block's own
     */
    record SoftKMeans(int iterations, double eps, @Nullable Double temperature)
            implements GroupingConfiguration {}

    /**
     * {@code SlotMlp}, the baseline: it gives no attributions.
     *
     * @param hidden the size of hidden layers
     * @param hiddenLayers how many there are
     */
    record SlotMlp(int hidden, int hiddenLayers) implements GroupingConfiguration {}
}
