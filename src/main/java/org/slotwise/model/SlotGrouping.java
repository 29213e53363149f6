package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.MaskedGrouping;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PlacedSlotAttention;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.model.SlotStart.Beginning;

/**
 * How features become slots.
 *
 * @param block the block
 * @param way how it is called
 */
record SlotGrouping(PerceptualGrouping block, Way way) {

    /**
     * Slots, and where they are.
     *
     * @param slots what any grouping gives
     * @param positions (B, K, 2); null for slots without
     */
    record Found(PerceptualGroupingOutput slots, @Nullable NDArray positions) {

        static Found of(PositionedSlots slots) {
            return new Found(slots.grouping(), slots.positions());
        }
    }

    /** Whether it leaves out slots that are empty from the beginning, and tells which are. */
    boolean leavesOutEmptySlots() {
        return block instanceof MaskedGrouping
                || block instanceof InvariantSlotAttention
                || block instanceof PlacedSlotAttention;
    }

    /** From features and a beginning to slots. */
    @FunctionalInterface
    interface Way {
        Found group(
                ParameterStore store,
                FeatureExtractorOutput features,
                Beginning beginning,
                boolean training);
    }

    /** A grouping that takes initial values, and which slots are empty. */
    static SlotGrouping masked(MaskedGrouping block) {
        return new SlotGrouping(
                block,
                (store, features, beginning, training) ->
                        new Found(
                                block.group(
                                        store,
                                        features,
                                        beginning.values(),
                                        beginning.isEmpty(),
                                        training),
                                null));
    }

    /** A grouping that takes initial values or nothing. */
    static SlotGrouping of(PerceptualGrouping block) {
        return new SlotGrouping(
                block,
                (store, features, beginning, training) ->
                        new Found(
                                block.group(store, features, beginning.values(), training), null));
    }
}
