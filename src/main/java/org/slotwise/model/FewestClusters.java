package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;

/**
 * k-means with as few clusters as lie close enough together: 1, 2, and so on, until the root mean
 * squared distance of vectors to their centres is at most a spread, or there are no more.
 *
 * @param most how many clusters at most, at least 1 where there are vectors
 * @param spread the greatest root mean squared distance
 * @param options how each k-means goes
 */
record FewestClusters(int most, double spread, KMeansOptions options) {

    /**
     * Clusters vectors.
     *
     * @param vectors one after the other
     * @param size how many numbers a vector has
     * @param manager where to compute
     * @return which cluster each belongs to, from 0
     */
    long[] of(float[] vectors, int size, NDManager manager) {
        int n = vectors.length / size;
        if (n == 0) {
            return new long[n];
        }
        try (NDManager own = manager.newSubManager()) {
            NDArray x = own.create(vectors, new Shape(1, n, size));
            for (int k = 1; ; k++) {
                KMeansClustering found = new KMeans(k, options).cluster(x, null);
                double inertia = found.inertia().toDoubleArray()[0];
                if (k == Math.min(most, n) || inertia <= n * spread * spread) {
                    return found.labels().toLongArray();
                }
            }
        }
    }
}
