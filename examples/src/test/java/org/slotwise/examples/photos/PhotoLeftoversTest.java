package org.slotwise.examples.photos;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.examples.shared.Leftovers;

class PhotoLeftoversTest {

    @ParameterizedTest
    @EnumSource
    void leavesNothing(PhotoRecipe recipe) {
        Shape shape = new Shape(2, 16, 9);
        Leftovers.Inputs features = own -> new NDList(own.randomNormal(shape));
        try (NDManager weights = NDManager.newBaseManager()) {
            PhotoModel model = new PhotoModel(recipe, 9, 16, 3);
            model.initialize(weights, DataType.FLOAT32, shape);
            Leftovers.none(weights, model, features, features);
        }
    }

    @Test
    void featuresLeaveNothing() {
        BuiltInFeatures features = new BuiltInFeatures(32);
        try (NDManager none = NDManager.newBaseManager()) {
            Leftovers.none(
                    "features",
                    none,
                    own -> features.extract(own.randomUniform(0, 1, new Shape(1, 3, 32, 32))));
        }
    }
}
