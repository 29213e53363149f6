package org.slotwise.model;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of a model have to agree on.
 *
 * @param height H
 * @param width W
 * @param slots K
 * @param slotDim D
 * @param features N; 0 before there is an encoder
 * @param featureDim F, of the features that are grouped
 * @param targetDim the size of the features that are made again, where a decoder makes features
 * @param folder where the files of the model are; null for those that are named by a path
 */
record Sizes(
        int height,
        int width,
        int slots,
        int slotDim,
        int features,
        int featureDim,
        int targetDim,
        @Nullable Path folder) {

    /** The sizes before there are features. */
    static Sizes of(ObjectDiscoveryConfiguration c, @Nullable Path folder) {
        return new Sizes(c.imageHeight(), c.imageWidth(), c.slots(), c.slotDim(), 0, 0, 0, folder);
    }

    Sizes withFeatures(int count, int dim, int ofTarget) {
        return new Sizes(height, width, slots, slotDim, count, dim, ofTarget, folder);
    }
}
