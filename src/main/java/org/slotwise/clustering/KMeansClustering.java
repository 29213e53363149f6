package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;

/**
 * What {@link KMeans} found, image by image.
 *
 * @param centers (B, K, F), of the features' type
 * @param labels (B, N) int64, which centre each feature belongs to
 * @param inertia (B) float64, the squared distances of the features to their centres, summed
 * @param iterations (B) int64, how many iterations the start took that was kept
 */
public record KMeansClustering(
        NDArray centers, NDArray labels, NDArray inertia, NDArray iterations) {}
