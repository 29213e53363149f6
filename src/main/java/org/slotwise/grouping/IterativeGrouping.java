package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Pass;
import org.slotwise.layer.FeedForward;

/**
 * What groupings have in common whose slots are refined over a few iterations: sizes, the number of
 * iterations, the block that follows each update, and implicit differentiation.
 */
public abstract class IterativeGrouping extends GroupingBlock {

    final int dim;
    final int featureDim;
    final int iterations;
    private final int trainingIterations;
    final double eps;
    final boolean implicitDifferentiation;
    final @Nullable Block feedForward;

    IterativeGrouping(Builder<?> builder) {
        dim = builder.dim;
        featureDim = builder.featureDim;
        iterations = builder.iterations;
        trainingIterations =
                builder.trainingIterations == null ? iterations : builder.trainingIterations;
        eps = builder.eps;
        implicitDifferentiation = builder.implicitDifferentiation;
        feedForward = builder.feedForward;
        if (feedForward != null) {
            addChildBlock("ff_mlp", feedForward);
        }
    }

    /**
     * The size of a feature.
     *
     * @return F
     */
    public int featureDim() {
        return featureDim;
    }

    /**
     * The size of a slot.
     *
     * @return D
     */
    public int dim() {
        return dim;
    }

    /** How many iterations a call takes that does not say it. */
    int iterations(boolean training) {
        return training ? trainingIterations : iterations;
    }

    /** The size of what is updated in each iteration. */
    int updatedDim() {
        return dim;
    }

    /** What was updated, (B, K, size), after the block that follows; the same array without one. */
    final NDArray feed(Pass pass, NDArray updated) {
        if (feedForward == null) {
            return updated;
        }
        NDArray fed = pass.forward(feedForward, updated);
        Check.option(
                fed.getShape().equals(updated.getShape()),
                who()
                        + ": the feed-forward must give "
                        + updated.getShape()
                        + ", got "
                        + fed.getShape());
        return fed;
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        if (feedForward != null) {
            feedForward.initialize(manager, dataType, new Shape(-1, -1, updatedDim()));
        }
    }

    /**
     * Describes what iterative groupings have in common.
     *
     * @param <T> the builder of one of them
     */
    public abstract static class Builder<T extends Builder<T>> {
        int dim;
        int featureDim;
        int iterations = 3;
        @Nullable Integer trainingIterations;
        double eps = 1e-8;
        boolean implicitDifferentiation;
        @Nullable Block feedForward;

        Builder() {}

        abstract T self();

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public T setDim(int dim) {
            this.dim = dim;
            return self();
        }

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1
         * @return this
         */
        public T setFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return self();
        }

        /**
         * Sets the number of iterations, T, where a call does not say otherwise.
         *
         * @param iterations from 1 to 10,000; 3 if not set
         * @return this
         */
        public T optIterations(int iterations) {
            this.iterations = iterations;
            return self();
        }

        /**
         * Sets another number of iterations for training: few are learnt from as well as many, and
         * many tell objects apart better once that is learnt.
         *
         * @param trainingIterations from 1 to 10,000; those of {@link #optIterations} if not set
         * @return this
         */
        public T optTrainingIterations(int trainingIterations) {
            this.trainingIterations = trainingIterations;
            return self();
        }

        /**
         * Sets what is added to the attention (responsibilities, in a mixture) before it is
         * normalised over features.
         *
         * @param eps from 0 to 1; 1e-8 if not set. In float16 anything below 6e-8 counts as 0
         * @return this
         */
        public T optEps(double eps) {
            this.eps = eps;
            return self();
        }

        /**
         * Sets a block that is applied after each GRU update, {@link FeedForward} for instance.
         * Residual and normalisation are its own affair.
         *
         * @param feedForward from (B, K, D) to (B, K, D); in a mixture, which updates means, from
         *     (B, K, D / 2) to the same
         * @return this
         */
        public T optFeedForward(Block feedForward) {
            this.feedForward = feedForward;
            return self();
        }

        /**
         * Sets whether gradients flow through one iteration only, the last. Takes less time and
         * memory in training; what the slots start from receives no gradient.
         *
         * @param implicitDifferentiation false if not set
         * @return this
         */
        public T optImplicitDifferentiation(boolean implicitDifferentiation) {
            this.implicitDifferentiation = implicitDifferentiation;
            return self();
        }

        /** Checks the options, in the name of the block. */
        final void check(String who) {
            Check.atLeast(who, "dim", dim, 1);
            Check.atLeast(who, "featureDim", featureDim, 1);
            Limits.count(who, "iterations", iterations, 1, Limits.ITERATIONS);
            if (trainingIterations != null) {
                Limits.count(who, "trainingIterations", trainingIterations, 1, Limits.ITERATIONS);
            }
            Limits.eps(who, "eps", eps);
        }
    }
}
