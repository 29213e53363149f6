package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Ops;

/**
 * Whether features are so near to their centres, in relation to how far these are from the origin,
 * that float32 does not tell well which is the nearest. Distances are sums of squares less
 * products: their rounding goes with these, however small they are themselves.
 */
final class TightClusters {

    private static final double ULP = 0x1p-24;

    private TightClusters() {}

    /**
     * Looks at each cluster. It costs a sum over the features' squares, and a look at the features
     * themselves only if a cluster is tight: those that are all equal need no digits.
     */
    static boolean needFloat64(KMeansStarts.Clusters found) {
        NDArray centers = found.centers(); // (B, K, F)
        if (centers.getDataType() == DataType.FLOAT64) {
            return false;
        }
        Shape shape = centers.getShape();
        int clusters = Math.toIntExact(shape.get(1));
        // A fifth of such a distance may be the rounding of its sums of products.
        double near = 5 * (2 + Math.sqrt((double) shape.get(2))) * ULP;
        ClusterMembers members = ClusterMembers.of(found.labels(), clusters);
        double[] squares = members.sums(found.features().squares);
        double[] count = members.counts();
        double[] center = Ops.read(centers.square().sum(new int[] {2}));
        boolean[] tight = new boolean[squares.length];
        boolean any = false;
        for (int k = 0; k < tight.length; k++) {
            tight[k] = squares[k] - count[k] * center[k] < near * squares[k];
            any |= tight[k];
        }
        if (!any) {
            return false;
        }
        double[] apart = members.sums(fromFirst(found, members));
        for (int k = 0; k < tight.length; k++) {
            if (tight[k] && apart[k] > 0) {
                return true;
            }
        }
        return false;
    }

    /** How much each feature differs from the first of its cluster: (B, N), 0 where it is equal. */
    private static NDArray fromFirst(KMeansStarts.Clusters found, ClusterMembers members) {
        NDArray features = found.features().given;
        NDArray table = features.reshape(-1, features.getShape().get(2));
        NDArray labels = found.labels();
        Shape centers = found.centers().getShape();
        NDArray begin = Ops.begins(labels, Math.toIntExact(centers.get(0)), centers.get(1));
        NDArray first = Ops.rows(table, members.first().flatten()); // (B K, F)
        NDArray own = Ops.rows(first, labels.add(begin.expandDims(1))); // (B, N, F)
        return own.subi(features).abs().sum(new int[] {2});
    }
}
