package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.slotwise.grouping.FeatureExtractorOutput;

/**
 * A block that extracts features from images.
 *
 * <p>Implement it to use an encoder of your own wherever the ones of this package are used; extend
 * {@link ai.djl.nn.AbstractBlock} for the rest of a block's duties. On {@link
 * ai.djl.ndarray.NDList}s an extractor takes the images and returns what {@link
 * FeatureExtractorOutput#toNDList} gives, so that a grouping block can follow it in a {@link
 * ai.djl.nn.SequentialBlock}.
 *
 * <p>{@code training} false means inference: no graph for gradients is recorded, whatever thread it
 * runs in and whether or not a gradient collector is open. Pass true to differentiate.
 */
public interface FeatureExtractor extends Block {

    /**
     * Extracts features.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W), of the parameters' type, in the range that the encoder was
     *     trained on
     * @param training whether to record a graph for gradients
     * @return features (B, N, F), row by row, and positions (N, 2): row and column, 0 at the first
     *     and 1 at the last; new arrays, owned by the manager of the images
     * @throws IllegalArgumentException if the images have another shape, type or device than the
     *     block expects
     */
    FeatureExtractorOutput extract(ParameterStore parameterStore, NDArray images, boolean training);

    /**
     * The size of a feature.
     *
     * @return F
     */
    int featureDim();
}
