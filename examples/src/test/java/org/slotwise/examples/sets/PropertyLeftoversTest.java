package org.slotwise.examples.sets;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.examples.shared.Leftovers;

class PropertyLeftoversTest {

    @ParameterizedTest
    @EnumSource
    void leavesNothing(PropertyGrouping kind) {
        Shape image = new Shape(1, 3, PropertyScenes.SIDE, PropertyScenes.SIDE);
        Leftovers.Inputs images = own -> new NDList(own.randomUniform(0, 1, image));
        try (NDManager weights = NDManager.newBaseManager()) {
            PropertyModel model =
                    PropertyModel.fresh(
                            weights, new PropertySlots(kind, PropertyGradients.LAST, 2, 4));
            Leftovers.none(weights, model, images, images);
        }
    }
}
