package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

/** Inputs by name and by order, mixed. */
@ExtendWith(OnDevice.class)
class GroupingInputsTest {

    private static NDArray named(NDManager manager, String name) {
        NDArray array = manager.ones(new Shape(1));
        array.setName(name);
        return array;
    }

    private static GroupingInputs parse(NDArray... arrays) {
        return GroupingInputs.parse("Who", new NDList(arrays), GroupingInputs.MASKED);
    }

    @Test
    void unnamedOnesTakeThePlacesThatAreLeft(NDManager manager) {
        NDArray features = manager.ones(new Shape(1));
        NDArray conditioning = named(manager, "conditioning");
        NDArray mask = manager.ones(new Shape(1));
        GroupingInputs inputs = parse(conditioning, features, mask);
        assertSame(features, inputs.features());
        assertSame(conditioning, inputs.conditioning());
        assertSame(mask, inputs.get("slot_mask"));
    }

    /** Names of others are as good as none; known ones of other groupings take no place. */
    @Test
    void otherNames(NDManager manager) {
        NDArray features = named(manager, "pictures");
        NDArray positions = named(manager, "positions");
        NDArray layer = named(manager, "aux_features.layer");
        NDArray conditioning = named(manager, "slots");
        GroupingInputs inputs = parse(positions, layer, features, conditioning);
        assertSame(features, inputs.features());
        assertSame(conditioning, inputs.conditioning());
        assertSame(positions, inputs.get("positions"));
        assertNull(inputs.get("slot_mask"));
        assertNull(inputs.get("aux_features.layer"));
    }

    @Test
    void refuses(NDManager manager) {
        NDArray any = manager.ones(new Shape(1));
        String expected = "Who: expected inputs [features, conditioning, slot_mask], got ";
        assertRefused(expected + "4 arrays", () -> parse(any, any, any, any));
        assertRefused(
                expected + "4 arrays", () -> parse(any, any, any, named(manager, "pictures")));
        assertRefused(
                "Who: two inputs are named slot_mask",
                () -> parse(named(manager, "slot_mask"), any, named(manager, "slot_mask")));
        assertRefused("Who: features is missing", () -> parse().features());
        assertRefused("Who: slot_mask is missing", () -> parse(any, any).required("slot_mask"));
        assertNull(parse(any).conditioning());
    }
}
