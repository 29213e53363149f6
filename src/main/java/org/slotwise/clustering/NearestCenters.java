package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Which of a few centres each feature is nearest to. Not differentiable: the work is done in place
 * wherever it can be.
 */
final class NearestCenters {

    private NearestCenters() {}

    /**
     * x . c - ||c||² / 2, which is highest for the centre c that is nearest to x.
     *
     * @param centers (B, M, F)
     * @param features (B, N, F)
     * @return (B, M, N), memory of its own
     */
    static NDArray scores(NDArray centers, NDArray features) {
        NDArray half = centers.square().sum(new int[] {2}, true);
        half.muli(Scalars.like(half, 0.5));
        return centers.matMul(features.swapAxes(1, 2)).subi(half);
    }

    /**
     * Replaces scores by ones where they are the highest of their feature, and zeros elsewhere.
     * Where scores tie, there is more than one 1.
     *
     * @param scores (B, K, N), overwritten
     * @param highest the highest scores, (B, 1, N)
     * @return the same array
     */
    static NDArray indicate(NDArray scores, NDArray highest) {
        // What is below the highest becomes -1, the highest 0; plus one. Several times faster than
        // a comparison and its conversion to numbers.
        return scores.subi(highest).signi().addi(Scalars.like(scores, 1));
    }

    /**
     * Leaves of ones that tie the first, as an argmax does.
     *
     * @param indicators (B, K, N), of zeros and ones
     * @return (B, K, N), with exactly one 1 for each feature
     */
    static NDArray firstOnly(NDArray indicators) {
        NDArray first = indicators.cumSum(1).eq(Scalars.like(indicators, 1));
        return first.toType(indicators.getDataType(), false).muli(indicators);
    }

    /**
     * Ones where the labels are, zeros elsewhere.
     *
     * @param labels (B, N) int64
     * @param clusters K
     * @param type the type of the result
     * @return (B, K, N)
     */
    static NDArray oneHot(NDArray labels, int clusters, DataType type) {
        NDArray number = numbers(labels, clusters).reshape(1, clusters, 1);
        return labels.expandDims(1).eq(number).toType(type, false);
    }

    /**
     * 0, 1, ... K - 1.
     *
     * @param like the array whose type, device and manager are used
     * @param clusters K
     * @return (K)
     */
    static NDArray numbers(NDArray like, int clusters) {
        return Ops.range(like, clusters).toType(like.getDataType(), false);
    }
}
