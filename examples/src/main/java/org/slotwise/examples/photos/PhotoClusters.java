package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.KMeansGrouping;

/** What k-means makes of the features of photographs, without having learnt anything. */
final class PhotoClusters {

    /** From how many random starts the best is kept where the result matters. */
    private static final int STARTS = 4;

    /** In training a rough result does: it varies from step to step, and slots learn to mend it. */
    private static final int ROUGH_ITERATIONS = 10;

    private PhotoClusters() {}

    /**
     * Clusters features.
     *
     * @param features (B, N, F)
     * @param clusters K
     * @param training whether starts are drawn anew each time, by the engine; else the same always
     * @return (B, K, N), 1 where a feature belongs to a cluster and 0 elsewhere
     */
    static NDArray of(NDArray features, int clusters, boolean training) {
        KMeansOptions.Builder options = KMeansOptions.builder();
        if (training) {
            options.optNInit(1).optMaxIter(ROUGH_ITERATIONS);
        } else {
            options.optNInit(STARTS).optSeed(0);
        }
        KMeansGrouping grouping =
                KMeansGrouping.builder()
                        .setSlots(clusters)
                        // Vectors of the same length would not tell dark from light.
                        .optL2Normalization(false)
                        .optClustering(options.build())
                        .build();
        grouping.initialize(features.getManager(), features.getDataType(), features.getShape());
        return grouping.group(
                        new ParameterStore(features.getManager(), false),
                        new FeatureExtractorOutput(features),
                        null,
                        training)
                .attributions();
    }
}
