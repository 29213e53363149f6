package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;

/**
 * What slots start from.
 *
 * @param block what is learnt for it; null for nothing
 * @param way how slots begin
 * @param unseeing the same, for a beginning that is values alone and does not depend on what is
 *     seen; null for others
 */
record SlotStart(@Nullable Block block, Way way, @Nullable Unseeing unseeing) {

    SlotStart(@Nullable Block block, Way way) {
        this(block, way, null);
    }

    /** A beginning with values that do not depend on what is seen. */
    static SlotStart unseeing(Block block, Unseeing values) {
        return new SlotStart(
                block,
                (store, images, features, training) ->
                        Beginning.of(values.of(store, images, training)),
                values);
    }

    /** From images, of which the number and type matter, to values (B, K, D). */
    @FunctionalInterface
    interface Unseeing {
        NDArray of(ParameterStore store, NDArray images, boolean training);
    }

    /**
     * A beginning, in the forms that groupings take.
     *
     * @param values (B, K, D); null for groupings that begin by themselves
     * @param positions (B, K, 2), where slots have some
     * @param guess a first guess of what belongs to each slot, where there is one
     */
    record Beginning(
            @Nullable NDArray values,
            @Nullable NDArray positions,
            @Nullable PerceptualGroupingOutput guess) {

        /** Which slots have nothing (B, K); null where that is not known. */
        @Nullable NDArray isEmpty() {
            return guess == null ? null : guess.isEmpty();
        }

        static Beginning of(@Nullable NDArray values) {
            return new Beginning(values, null, null);
        }
    }

    /** From images (B, 3, H, W) in [0, 1] and their features to a beginning. */
    @FunctionalInterface
    interface Way {
        Beginning begin(
                ParameterStore store,
                NDArray images,
                FeatureExtractorOutput features,
                boolean training);
    }

    /**
     * The first lines of a start in TorchScript that draws nothing, of {@code noise} and {@code
     * slots}: it refuses noise, and any other number of slots.
     */
    static String nothingDrawn(int slots) {
        return """
                if torch.__isnot__(noise, None):
                  ops.prim.RaiseException("nothing is drawn: noise must be None")
                if torch.__isnot__(slots, None):
                  if torch.ne(unchecked_cast(int, slots), %1$s):
                    ops.prim.RaiseException("slots must be %1$s")
                """
                .formatted(slots)
                .indent(2);
    }
}
