package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/** The block that slots pass after each update, if there is one. */
final class SlotFeedForward {

    private SlotFeedForward() {}

    /** Slots (B, K, D) after the block; the same array without one. */
    static NDArray apply(
            String who,
            @Nullable Block block,
            ParameterStore store,
            NDArray slots,
            boolean training) {
        if (block == null) {
            return slots;
        }
        NDArray fed = block.forward(store, new NDList(slots), training).singletonOrThrow();
        Check.option(
                fed.getShape().equals(slots.getShape()),
                who
                        + ": the feed-forward must give "
                        + slots.getShape()
                        + ", got "
                        + fed.getShape());
        return fed;
    }
}
