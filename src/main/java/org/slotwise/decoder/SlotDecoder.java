package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

/**
 * A block that decodes slots into images and masks.
 *
 * <p>Implement it to use a decoder of your own wherever the ones of this package are used; extend
 * {@link ai.djl.nn.AbstractBlock} for the rest of a block's duties. On {@link
 * ai.djl.ndarray.NDList}s a decoder takes the slots, or all that a grouping block gives, of which
 * it uses the objects; it returns what {@link SlotDecoding#toNDList} gives.
 *
 * <p>{@code training} false means inference: no graph for gradients is recorded, whatever thread it
 * runs in and whether or not a gradient collector is open. Pass true to differentiate.
 */
public interface SlotDecoder extends Block {

    /**
     * Decodes slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of the parameters' type; K may change from call to call
     * @param training whether to record a graph for gradients
     * @return images and masks, owned by the manager of the slots
     * @throws IllegalArgumentException if the slots have another shape, type or device than the
     *     block expects
     */
    SlotDecoding decode(ParameterStore parameterStore, NDArray slots, boolean training);
}
