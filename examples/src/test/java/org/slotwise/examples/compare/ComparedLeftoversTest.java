package org.slotwise.examples.compare;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.examples.ablate.Ablation;
import org.slotwise.examples.ablate.AblationModel;
import org.slotwise.examples.shared.Leftovers;

class ComparedLeftoversTest {

    private static List<Ablation> all() {
        return ComparedGroupings.ALL;
    }

    @ParameterizedTest
    @MethodSource("all")
    void leavesNothing(Ablation grouping) {
        Shape image = new Shape(1, 3, AblationModel.SIDE, AblationModel.SIDE);
        Leftovers.Inputs images = own -> new NDList(own.randomUniform(0, 1, image));
        try (NDManager weights = NDManager.newBaseManager()) {
            AblationModel model = grouping.model();
            model.initialize(weights, DataType.FLOAT32, image);
            Leftovers.none(weights, model, images, images);
        }
    }
}
