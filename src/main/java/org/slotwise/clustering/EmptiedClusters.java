package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Scalars;

/**
 * New centres for starts in which a cluster has lost its last feature, or a feature is equally near
 * to two centres: by the rules of scikit-learn.
 *
 * <ul>
 *   <li>Of equally near centres the first gets the feature.
 *   <li>The emptied clusters, in order, take over the features that are farthest from the centres
 *       they belonged to, the farthest first; those features no longer count for the clusters they
 *       came from. The labels do not change.
 *   <li>If every feature lies on its centre, there are fewer different features than clusters, and
 *       emptied clusters stay empty.
 *   <li>A cluster without features, now or because its only one was taken, gets the centre of the
 *       largest cluster if that comes before it, and the sum of the largest cluster's features if
 *       that comes after it. (The latter is not what scikit-learn means to do, but what it does.)
 * </ul>
 */
final class EmptiedClusters {

    /** Which cluster each feature is nearest to: (A, N) of the features' type, for A starts. */
    final NDArray labels;

    /** The new centres: (A, K, F). */
    final NDArray centers;

    /** The sum over features of x . c - ||c||² / 2 for the new centres with these labels: (A). */
    final NDArray gain;

    /**
     * Finds the new centres.
     *
     * @param features (A, N, F)
     * @param indicators (A, K, N), ones where a centre is nearest
     * @param old the centres that the indicators are about, (A, K, F)
     */
    EmptiedClusters(NDArray features, NDArray indicators, NDArray old) {
        int clusters = Math.toIntExact(old.getShape().get(1));
        NDArray nearest = NearestCenters.firstOnly(indicators);
        NDArray numbers = NearestCenters.numbers(nearest, clusters).expandDims(0);
        labels = numbers.matMul(nearest).squeeze(1);

        NDArray offset = features.sub(nearest.swapAxes(1, 2).matMul(old)); // (A, N, F)
        NDArray distance = offset.square().sum(new int[] {2}); // (A, N)
        NDList farthest = distance.topK(clusters, 1, true, true); // distances, places: (A, K)
        NDArray places = farthest.get(1);
        NDArray zero = Scalars.like(distance, 0);
        NDArray full = nearest.sum(new int[] {2}).gt(zero).toType(DataType.INT64, false); // (A, K)
        NDArray anyAway = farthest.get(0).get(":, 0:1").gt(zero).toType(DataType.INT64, false);
        NDArray moving =
                full.neg().add(Scalars.like(full, 1)).sum(new int[] {1}, true).mul(anyAway);

        // The i-th farthest feature goes to the i-th emptied cluster, as long as there are any.
        NDArray i = NearestCenters.numbers(full, clusters).expandDims(0); // (1, K)
        NDArray emptiedFirst = full.mul(Scalars.like(full, clusters)).add(i).argSort(1);
        NDArray label = labels.toType(DataType.INT64, false);
        NDArray target = where(i.lt(moving), emptiedFirst, label.gather(places, 1));
        NDArray moved = label.scatter(places, target, 1); // (A, N)
        centers = average(features, NearestCenters.oneHot(moved, clusters, labels.getDataType()));
        gain = NearestCenters.scores(centers, features).mul(nearest).sum(new int[] {1, 2});
    }

    /** The means of clusters: (A, K, F) for features (A, N, F) and their clusters (A, K, N). */
    private static NDArray average(NDArray features, NDArray oneHot) {
        NDArray count = oneHot.sum(new int[] {2}, true); // (A, K, 1)
        NDArray one = Scalars.like(count, 1);
        NDArray sum = oneHot.matMul(features); // (A, K, F)
        NDArray mean = sum.mul(one.div(count.maximum(one)));

        Shape shape = sum.getShape();
        NDArray largest = count.squeeze(2).argMax(1).reshape(-1, 1, 1); // (A, 1, 1)
        NDArray i = NearestCenters.numbers(largest, (int) shape.get(1)).reshape(1, -1, 1);
        NDArray row = largest.broadcast(shape.get(0), 1, shape.get(2));
        NDArray standIn = where(i.lt(largest), sum.gather(row, 1), mean.gather(row, 1));
        return where(count.lt(one), standIn, mean);
    }

    /** {@link NDArrays#where} with broadcasting. */
    private static NDArray where(NDArray condition, NDArray yes, NDArray no) {
        Shape shape = condition.getShape();
        for (NDArray array : new NDArray[] {yes, no}) {
            Shape other = array.getShape();
            long[] sizes = new long[other.dimension()];
            for (int d = 0; d < sizes.length; d++) {
                sizes[d] = Math.max(shape.get(d), other.get(d));
            }
            shape = new Shape(sizes);
        }
        return NDArrays.where(
                condition.broadcast(shape), yes.broadcast(shape), no.broadcast(shape));
    }
}
