package org.slotwise.clustering;

import java.util.Arrays;
import org.slotwise.internal.Workers;

/**
 * Sums of the features of each cluster in float64, which follow features that change from one
 * cluster to another; means by the rules of scikit-learn. For {@link BoundedStart}.
 */
final class ClusterSums {

    /** Of fewer features all elements are added by one thread. */
    private static final int FEW = 1 << 10;

    /** How many elements a thread has at least: two cache lines of features. */
    private static final int ELEMENTS = 32;

    /** How many features each cluster has, (K). */
    final int[] count;

    private final double[][] sums; // (K)(F)

    ClusterSums(int clusters, int featureSize) {
        count = new int[clusters];
        sums = new double[clusters][featureSize];
    }

    private ClusterSums copy() {
        ClusterSums copy = new ClusterSums(count.length, sums[0].length);
        System.arraycopy(count, 0, copy.count, 0, count.length);
        for (int k = 0; k < sums.length; k++) {
            copy.sums[k] = sums[k].clone();
        }
        return copy;
    }

    void clear() {
        Arrays.fill(count, 0);
        for (double[] sum : sums) {
            Arrays.fill(sum, 0);
        }
    }

    /** Adds every feature to the cluster that its label names. */
    void addAll(int[] labels, float[] rows) {
        for (int label : labels) {
            count[label]++;
        }
        byElements(
                labels.length,
                (from, to) -> {
                    for (int j = 0; j < labels.length; j++) {
                        double[] sum = sums[labels[j]];
                        int at = j * sum.length;
                        for (int f = from; f < to; f++) {
                            sum[f] += rows[at + f];
                        }
                    }
                });
    }

    /** Does something for all elements, on several threads if there are so many features. */
    void byElements(int features, Elements task) {
        int size = sums[0].length;
        int most = features < FEW ? 1 : Math.max(1, size / ELEMENTS);
        int parts = Math.min(most, Workers.threads());
        Workers.each(parts, () -> part -> task.run(part * size / parts, (part + 1) * size / parts));
    }

    /** What is done for the elements from one up to another. */
    interface Elements {

        void run(int from, int to);
    }

    private void add(int cluster, float[] rows, int feature) {
        double[] sum = sums[cluster];
        int at = feature * sum.length;
        for (int f = 0; f < sum.length; f++) {
            sum[f] += rows[at + f];
        }
        count[cluster]++;
    }

    private void remove(int cluster, float[] rows, int feature) {
        double[] sum = sums[cluster];
        int at = feature * sum.length;
        for (int f = 0; f < sum.length; f++) {
            sum[f] -= rows[at + f];
        }
        count[cluster]--;
    }

    /** Counts a feature to another cluster. */
    void moveOne(int cluster, int other) {
        count[cluster]--;
        count[other]++;
    }

    /** Removes some elements of a feature from a cluster's sum and adds them to another's. */
    void move(int cluster, int other, float[] rows, int feature, int from, int to) {
        double[] less = sums[cluster];
        double[] more = sums[other];
        int at = feature * less.length;
        for (int f = from; f < to; f++) {
            double v = rows[at + f];
            less[f] -= v;
            more[f] += v;
        }
    }

    boolean anyEmpty() {
        for (int n : count) {
            if (n == 0) {
                return true;
            }
        }
        return false;
    }

    /** The mean of a cluster that has features. */
    void mean(int cluster, float[] mean) {
        double weight = 1.0 / count[cluster];
        for (int f = 0; f < mean.length; f++) {
            mean[f] = (float) (sums[cluster][f] * weight);
        }
    }

    /**
     * The means of all clusters; of one without features what {@link ClusterMeans#averageAll} gives
     * it.
     */
    void means(float[][] means) {
        int largest = 0;
        for (int k = 1; k < count.length; k++) {
            largest = count[k] > count[largest] ? k : largest;
        }
        for (int k = 0; k < count.length; k++) {
            if (count[k] > 0) {
                mean(k, means[k]);
            } else if (k > largest) {
                System.arraycopy(means[largest], 0, means[k], 0, means[k].length);
            } else {
                for (int f = 0; f < means[k].length; f++) {
                    means[k][f] = (float) sums[largest][f];
                }
            }
        }
    }

    /**
     * The clusters' features after the emptied clusters, in order, have taken over the features
     * farthest from their centres, the farthest first. The labels stay. If every feature lies on
     * its centre, nothing is taken.
     */
    ClusterSums afterTakeover(BlockedPoints points, float[][] centers, int[] labels) {
        int[] row = new int[points.size];
        double[] distance = new double[points.size];
        for (int j = 0; j < distance.length; j++) {
            row[points.origin(j)] = j;
            distance[points.origin(j)] = points.wideSquaredDistance(j, centers[labels[j]]);
        }
        ClusterSums taken = copy();
        if (distance[LloydStart.farthest(distance)] == 0) {
            return taken;
        }
        for (int k = 0; k < count.length; k++) {
            if (count[k] == 0) {
                int farthest = LloydStart.farthest(distance);
                int j = row[farthest];
                taken.remove(labels[j], points.rows, j);
                taken.add(k, points.rows, j);
                distance[farthest] = -1;
            }
        }
        return taken;
    }

    /** The sum over features of x . c - ||c||² / 2, with the clusters that they are in. */
    double gain(float[][] centers) {
        double gain = 0;
        for (int k = 0; k < count.length; k++) {
            for (int f = 0; f < sums[k].length; f++) {
                double c = centers[k][f];
                gain += (sums[k][f] - count[k] * c / 2) * c;
            }
        }
        return gain;
    }
}
