package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;

/**
 * A block that groups the features of an image into slots.
 *
 * <p>Implement it to use a grouping of your own wherever the ones of this package are used; extend
 * {@link ai.djl.nn.AbstractBlock} for the rest of a block's duties. On {@link
 * ai.djl.ndarray.NDList}s a grouping block takes features, positions (where it uses them),
 * conditioning and a slot mask (where it knows one), by these names ("features", "positions",
 * "conditioning", "slot_mask") or, unnamed, in this order, and returns what {@link
 * PerceptualGroupingOutput#toNDList} gives.
 *
 * <p>{@code training} false means inference: no graph for gradients is recorded, whatever thread it
 * runs in and whether or not a gradient collector is open. Pass true to differentiate.
 */
public interface PerceptualGrouping extends Block {

    /**
     * Groups features.
     *
     * @param parameterStore where the parameters' values are
     * @param features the features, (B, N, F); videos are grouped {@linkplain
     *     FeatureExtractorOutput#frames() frame by frame}
     * @param conditioning what the slots start from, in the form that the block documents; null
     *     where the block draws it itself
     * @param training whether to record a graph for gradients
     * @return the slots, owned by the manager of the features
     * @throws IllegalArgumentException if an input has another shape, type or device than the block
     *     expects
     */
    PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training);
}
