package org.slotwise.examples.sets;

import org.slotwise.data.SceneDataset;
import org.slotwise.data.generated.ClevrLikeScenes;

/**
 * The scenes that a {@link PropertyModel} sees: 64 x 64 pixels, from three objects on, somewhat
 * larger than CLEVR's, since there are few pixels. Of the labels of a batch the second is the mask,
 * the third what the objects are.
 *
 * @param seed which scenes
 * @param count how many
 * @param maxObjects how many objects a scene has at most
 */
record PropertyScenes(long seed, long count, int maxObjects) {

    static final int SIDE = 64;
    static final int MASKS = 1;
    static final int PROPERTIES = 2;
    private static final int FEWEST = 3;
    private static final double SMALL = 0.5;
    private static final double LARGE = 0.9;

    /**
     * The scenes in their order.
     *
     * @param batch how many at once
     * @param slots how many rows the truth has
     * @return a data set
     */
    SceneDataset dataset(int batch, int slots) {
        return SceneDataset.builder()
                .setScenes(
                        ClevrLikeScenes.builder()
                                .setSize(count)
                                .optSeed(seed)
                                .optSide(SIDE)
                                .optObjects(Math.min(FEWEST, maxObjects), maxObjects)
                                .optRadii(SMALL, LARGE)
                                .build())
                .optProperties(slots)
                .setSampling(batch, false)
                .build();
    }
}
