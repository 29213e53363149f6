package org.slotwise.clustering;

import java.util.Arrays;
import org.slotwise.internal.VectorLoops;

/** Means of the features of each cluster, by the rules of scikit-learn: for {@link LloydStart}. */
final class ClusterMeans {

    private final int clusters;
    private final int[] order; // features by cluster, (N)
    private final int[] end; // where each cluster ends in the order, (K)

    /** How many features each cluster has, (K). */
    final int[] count;

    ClusterMeans(int size, int clusters) {
        this.clusters = clusters;
        order = new int[size];
        end = new int[clusters];
        count = new int[clusters];
    }

    /**
     * Sorts the features by cluster.
     *
     * @param clusterOf the cluster of each feature, (N)
     * @return whether each cluster has a feature
     */
    boolean sort(int[] clusterOf) {
        Arrays.fill(count, 0);
        for (int k : clusterOf) {
            count[k]++;
        }
        boolean all = true;
        int begin = 0;
        for (int k = 0; k < clusters; k++) {
            end[k] = begin;
            begin += count[k];
            all &= count[k] > 0;
        }
        for (int j = 0; j < clusterOf.length; j++) {
            order[end[clusterOf[j]]++] = j;
        }
        return all;
    }

    /** The mean of a cluster's features (N)(F), of which it has some. */
    void average(float[][] features, int cluster, float[] mean) {
        sum(features, cluster, mean);
        divide(mean, count[cluster]);
    }

    /**
     * The means of all clusters (K)(F). One without features gets the mean of the largest if that
     * comes before it, and the sum of the largest if that comes after it; the latter is not what
     * scikit-learn means to do, but what it does.
     */
    void averageAll(float[][] features, float[][] means) {
        int largest = 0;
        for (int k = 0; k < clusters; k++) {
            sum(features, k, means[k]);
            largest = count[k] > count[largest] ? k : largest;
        }
        for (int k = 0; k < clusters; k++) {
            if (count[k] > 0) {
                divide(means[k], count[k]);
            } else {
                System.arraycopy(means[largest], 0, means[k], 0, means[k].length);
            }
        }
    }

    private void sum(float[][] features, int cluster, float[] sum) {
        Arrays.fill(sum, 0);
        int i = end[cluster] - count[cluster];
        for (; i + 4 <= end[cluster]; i += 4) {
            VectorLoops.add(
                    sum,
                    features[order[i]],
                    features[order[i + 1]],
                    features[order[i + 2]],
                    features[order[i + 3]]);
        }
        for (; i < end[cluster]; i++) {
            VectorLoops.add(sum, features[order[i]]);
        }
    }

    private static void divide(float[] sum, int count) {
        float weight = 1f / count;
        for (int f = 0; f < sum.length; f++) {
            sum[f] *= weight;
        }
    }
}
