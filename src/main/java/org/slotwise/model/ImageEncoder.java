package org.slotwise.model;

import ai.djl.ndarray.types.Shape;
import org.slotwise.encoder.FeatureExtractor;

/**
 * A block that makes features of images, and the grid on which they lie, row by row.
 *
 * @param block the block
 * @param gridHeight the grid's rows
 * @param gridWidth its columns
 */
record ImageEncoder(FeatureExtractor block, int gridHeight, int gridWidth) {

    /** The name of features before they were projected, among the auxiliary ones. */
    static final String UNPROJECTED = "unprojected";

    /** Of a block whose rows follow from the image's height alone, and columns from its width. */
    static ImageEncoder of(FeatureExtractor block, Sizes sizes) {
        return new ImageEncoder(
                block, count(block, sizes.height(), 1), count(block, 1, sizes.width()));
    }

    private static int count(FeatureExtractor block, int height, int width) {
        Shape[] shapes = block.getOutputShapes(new Shape[] {new Shape(1, 3, height, width)});
        return Math.toIntExact(shapes[0].get(1));
    }
}
