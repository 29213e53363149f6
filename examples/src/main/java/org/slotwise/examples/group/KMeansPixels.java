package org.slotwise.examples.group;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.KMeansGrouping;

/** Pixels grouped by k-means: each belongs to the slot whose mean colour and place are nearest. */
final class KMeansPixels implements PixelGrouping {

    /** From how many random starts, of which the best is kept. */
    private static final int STARTS = 4;

    /** Later iterations move few pixels, and take long where slots are many. */
    private static final int ITERATIONS = 50;

    @Override
    public NDArray group(FeatureExtractorOutput pixels, int slots, int seed) {
        NDArray x = pixels.features();
        KMeansGrouping grouping =
                KMeansGrouping.builder()
                        .setSlots(slots)
                        // Vectors of the same length would not tell dark from light.
                        .optL2Normalization(false)
                        .optClustering(
                                KMeansOptions.builder()
                                        .optNInit(STARTS)
                                        .optMaxIter(ITERATIONS)
                                        .optSeed(seed)
                                        .build())
                        .build();
        grouping.initialize(x.getManager(), x.getDataType(), x.getShape());
        return grouping.group(new ParameterStore(x.getManager(), false), pixels, null, false)
                .attributions();
    }
}
