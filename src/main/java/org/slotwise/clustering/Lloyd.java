package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.ArrayMemory;

/**
 * Lloyd's iterations from several starts for each image of a batch, each until it has converged; by
 * the rules of scikit-learn.
 *
 * <p>A start ends when no label has changed since the iteration before; or when its centres have
 * hardly moved, or after a number of iterations: then the labels are found once more. Centres that
 * went beyond the means ({@link LloydCourse}) go to the means first, when no label has changed.
 */
@FunctionalInterface
interface Lloyd {

    /**
     * Iterates until every start has ended.
     *
     * @param features (B, N, F)
     * @param initial where to start, (B, R, K, F)
     * @param course how
     */
    Result run(NDArray features, NDArray initial, LloydCourse course);

    /** Where the starts ended. Start r of image b has the number b R + r. */
    final class Result {

        /** (B R, K F). */
        final NDArray centers;

        /** (B R, N), of the features' type. */
        final NDArray labels;

        /** How many iterations each start took. */
        final long[] iterations;

        /**
         * By how much each start's inertia is lower than sum ||x||², halved: the sum over features
         * of x . c - ||c||² / 2.
         */
        final double[] gains;

        Result(NDArray centers, NDArray labels, long[] iterations, double[] gains) {
            this.centers = centers;
            this.labels = labels;
            this.iterations = iterations;
            this.gains = gains;
        }
    }

    /** Whether loops over such features are faster than operations. */
    static boolean inJava(NDArray features) {
        return ArrayMemory.suitsLoops(features) && ArrayMemory.canHold(features);
    }

    /**
     * The faster way for what there is.
     *
     * @param features (B, N, F)
     * @param initial (B, R, K, F)
     */
    static Lloyd of(NDArray features, NDArray initial) {
        if (!inJava(features) || !ArrayMemory.canHold(initial)) {
            return BatchedLloyd::run;
        }
        boolean many = features.getShape().get(1) >= BoundedLloyd.MANY;
        return many ? BoundedLloyd::run : ThreadedLloyd::run;
    }
}
