package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.stream.LongStream;
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
     * Ones where a score is the highest of its feature, zeros elsewhere. Where scores tie, there is
     * more than one.
     *
     * @param scores (B, ..., K, N), overwritten by the result
     * @return the same array
     */
    static NDArray indicate(NDArray scores) {
        // What is below the highest becomes -1, the highest 0; plus one. Several times faster than
        // a comparison and its conversion to numbers.
        scores.subi(Ops.max(scores, scores.getShape().dimension() - 2)).signi();
        return scores.addi(Scalars.like(scores, 1));
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
     * The places of the ones.
     *
     * @param oneHot (B, K, N), with exactly one 1 for each feature
     * @return (B, N) int64
     */
    static NDArray labels(NDArray oneHot) {
        Shape s = oneHot.getShape();
        NDArray number = clusters(oneHot, oneHot.getDataType()).reshape(1, s.get(1));
        return number.matMul(oneHot).reshape(s.get(0), s.get(2)).toType(DataType.INT64, false);
    }

    /**
     * The inverse of {@link #labels}.
     *
     * @param labels (B, N) int64
     * @param clusters K
     * @param type the type of the result
     * @return (B, K, N)
     */
    static NDArray oneHot(NDArray labels, long clusters, DataType type) {
        NDArray number = Ops.indices(labels, upTo(clusters)).reshape(1, clusters, 1);
        return labels.expandDims(1).eq(number).toType(type, false);
    }

    /**
     * 0, 1, ... K - 1.
     *
     * @param like (B, K, N)
     * @param type the type of the result
     * @return (K)
     */
    static NDArray clusters(NDArray like, DataType type) {
        return Ops.indices(like, upTo(like.getShape().get(1))).toType(type, false);
    }

    private static long[] upTo(long end) {
        return LongStream.range(0, end).toArray();
    }
}
