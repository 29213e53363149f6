package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import org.slotwise.internal.Ops;

/**
 * Whether features are so near to their centres, in relation to how far these are from the origin,
 * that float32 does not tell well which is the nearest. Distances are sums of squares less
 * products: their rounding goes with these, however small they are themselves.
 */
final class TightClusters {

    private static final double ULP = 0x1p-24;

    private final int clusters;
    private final int images;
    private final long[] labels; // (B, N)
    private final int size; // N

    private TightClusters(KMeansStarts.Clusters found) {
        images = Math.toIntExact(found.centers().getShape().get(0));
        clusters = Math.toIntExact(found.centers().getShape().get(1));
        size = Math.toIntExact(found.labels().getShape().get(1));
        labels = found.labels().toLongArray();
    }

    /**
     * Looks at each cluster. It costs a sum over the features' squares, and a look at the features
     * themselves only if a cluster is tight: those that are all equal need no digits.
     */
    static boolean needFloat64(KMeansStarts.Clusters found) {
        return found.centers().getDataType() != DataType.FLOAT64
                && new TightClusters(found).looseDigits(found);
    }

    private boolean looseDigits(KMeansStarts.Clusters found) {
        int featureSize = Math.toIntExact(found.centers().getShape().get(2));
        // A fifth of such a distance may be the rounding of its sums of products.
        double near = 5 * (2 + Math.sqrt(featureSize)) * ULP;
        double[] squares = new double[images * clusters]; // sums of ||x||²
        long[] count = new long[squares.length];
        add(Ops.read(found.features().squares), squares, count);
        double[] centers = Ops.read(found.centers().square().sum(new int[] {2}));
        boolean[] tight = new boolean[squares.length];
        boolean any = false;
        for (int k = 0; k < tight.length; k++) {
            tight[k] = squares[k] - count[k] * centers[k] < near * squares[k];
            any |= tight[k];
        }
        if (!any) {
            return false;
        }
        double[] apart = new double[tight.length];
        add(Ops.read(fromFirst(found.features().given)), apart, count);
        for (int k = 0; k < tight.length; k++) {
            if (tight[k] && apart[k] > 0) {
                return true;
            }
        }
        return false;
    }

    /** How much each feature differs from the first of its cluster: (B, N), 0 where it is equal. */
    private NDArray fromFirst(NDArray features) {
        long[] first = new long[images * clusters];
        Arrays.fill(first, -1);
        long[] row = new long[labels.length];
        for (int j = 0; j < row.length; j++) {
            int k = j / size * clusters + (int) labels[j];
            first[k] = first[k] < 0 ? j : first[k];
            row[j] = first[k];
        }
        NDArray table = features.reshape(labels.length, -1);
        NDArray firsts = Ops.rows(table, Ops.indices(features, row));
        return firsts.subi(table).abs().sum(new int[] {1}).reshape(images, size);
    }

    /** Adds numbers of all features to the sums of their clusters. */
    private void add(double[] numbers, double[] sums, long[] count) {
        for (int j = 0; j < numbers.length; j++) {
            int k = j / size * clusters + (int) labels[j];
            sums[k] += numbers[j];
            count[k]++;
        }
    }
}
