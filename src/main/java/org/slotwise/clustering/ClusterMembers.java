package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Ops;

/**
 * Which features belong to the clusters of each image: in loops on a CPU, where an array of all
 * features by all clusters would cost more than what is asked; as such an array on a GPU, from
 * which only numbers of clusters are read.
 */
interface ClusterMembers {

    /** For labels (B, N) int64. */
    static ClusterMembers of(NDArray labels, int clusters) {
        return labels.getDevice().isGpu()
                ? new OnDevice(labels, clusters)
                : new InJava(labels, clusters);
    }

    /** Sums of a number of each feature, (B, N): B K. */
    double[] sums(NDArray numbers);

    /** How many there are: B K. */
    double[] counts();

    /**
     * The first of each, as rows of the features of all images: (B, K) int64, any if there is none.
     */
    NDArray first();

    /** Loops. */
    final class InJava implements ClusterMembers {
        private final NDArray labels;
        private final int[] cluster; // of each feature, among those of all images
        private final int count; // B K

        InJava(NDArray labels, int clusters) {
            this.labels = labels;
            long[] read = labels.toLongArray();
            int size = Math.toIntExact(labels.getShape().get(1));
            cluster = new int[read.length];
            for (int j = 0; j < read.length; j++) {
                cluster[j] = j / size * clusters + (int) read[j];
            }
            count = Math.toIntExact(labels.getShape().get(0)) * clusters;
        }

        @Override
        public double[] sums(NDArray numbers) {
            float[] read = numbers.toFloatArray();
            double[] sums = new double[count];
            for (int j = 0; j < read.length; j++) {
                sums[cluster[j]] += read[j];
            }
            return sums;
        }

        @Override
        public double[] counts() {
            double[] counts = new double[count];
            for (int k : cluster) {
                counts[k]++;
            }
            return counts;
        }

        @Override
        public NDArray first() {
            long[] first = new long[count];
            for (int j = cluster.length - 1; j >= 0; j--) {
                first[cluster[j]] = j;
            }
            return Ops.indices(labels, first).reshape(labels.getShape().get(0), -1);
        }
    }

    /** An array. */
    final class OnDevice implements ClusterMembers {
        private final NDArray members; // (B, K, N)

        OnDevice(NDArray labels, int clusters) {
            members = NearestCenters.oneHot(labels, clusters, DataType.FLOAT64);
        }

        @Override
        public double[] sums(NDArray numbers) {
            NDArray wide = numbers.toType(DataType.FLOAT64, false).expandDims(2);
            return Ops.read(members.matMul(wide));
        }

        @Override
        public double[] counts() {
            return Ops.read(members.sum(new int[] {2}));
        }

        @Override
        public NDArray first() {
            int images = Math.toIntExact(members.getShape().get(0));
            NDArray begin = Ops.begins(members, images, members.getShape().get(2));
            return members.argMax(2).add(begin.expandDims(1));
        }
    }
}
