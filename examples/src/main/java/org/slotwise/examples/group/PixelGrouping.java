package org.slotwise.examples.group;

import ai.djl.ndarray.NDArray;
import org.slotwise.grouping.FeatureExtractorOutput;

/** A way to group pixels. */
interface PixelGrouping {

    /**
     * Groups pixels.
     *
     * @param pixels features (1, N, F) and positions (N, 2) of {@link PixelFeatures}
     * @param slots the number of slots K, at most N
     * @param seed what random choices start from
     * @return how much each pixel belongs to each slot, (1, K, N)
     */
    NDArray group(FeatureExtractorOutput pixels, int slots, int seed);
}
