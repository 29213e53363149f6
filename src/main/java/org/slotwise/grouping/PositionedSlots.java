package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;

/**
 * Slots that know where they are.
 *
 * @param objects (B, K, D), a vector for each slot
 * @param positions (B, K, 2), where each slot is, in the units of the features' positions
 * @param attributions (B, K, N), how much each feature belongs to each slot
 * @param isEmpty (B, K), boolean, true for slots that took no part; null if all did
 */
public record PositionedSlots(
        NDArray objects, NDArray positions, NDArray attributions, @Nullable NDArray isEmpty) {

    /** The name of the slots' positions in an {@link NDList}, as input and as output. */
    public static final String SLOT_POSITIONS = "slot_positions";

    /**
     * The same without positions, for whatever takes any grouping's output.
     *
     * @return objects, attributions and the empty slots
     */
    public PerceptualGroupingOutput grouping() {
        return new PerceptualGroupingOutput(objects, attributions, isEmpty);
    }

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "objects", "feature_attributions", "is_empty" if some slots may be, and
     *     "slot_positions"
     */
    public NDList toNDList() {
        NDList list = grouping().toNDList();
        positions.setName(SLOT_POSITIONS);
        list.add(positions);
        return list;
    }
}
