package org.slotwise.examples.discover;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.util.Random;
import org.slotwise.grouping.AttentionTrace;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.PositionedSlots;

/**
 * What tells the slots of a {@link DiscoveryModel} apart when they start: all begin as one vector.
 */
interface SlotStart {

    /** How many slots there are, K. */
    int slots();

    /**
     * The same with another number of slots.
     *
     * @param slots K, at least 1
     * @throws IllegalArgumentException if there is no such start
     */
    SlotStart withSlots(int slots);

    /**
     * What is random in it, for some images.
     *
     * @param manager the owner
     * @param images B
     * @param jitter by how much starts vary in training, 0 for not at all
     * @param random where draws come from
     */
    NDArray draw(NDManager manager, long images, float jitter, Random random);

    /** Slots and features, as a grouping block takes them. */
    record Scene(
            ParameterStore store, NDArray images, FeatureExtractorOutput features, NDArray slots) {}

    /**
     * Groups features from this start.
     *
     * @param grouping the block
     * @param scene what it is given
     * @param draw what {@link #draw} gave
     * @param iterations how many
     * @param training whether to record a graph for gradients
     */
    PositionedSlots group(
            InvariantSlotAttention grouping,
            Scene scene,
            NDArray draw,
            int iterations,
            boolean training);

    /** As {@link #group}, in inference and with the attention of every iteration. */
    AttentionTrace<PositionedSlots> trace(
            InvariantSlotAttention grouping, Scene scene, NDArray draw, int iterations);
}
