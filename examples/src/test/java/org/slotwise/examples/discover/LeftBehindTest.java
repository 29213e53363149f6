package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;

/** What a model makes goes with the pictures: nothing stays where the weights are. */
class LeftBehindTest {

    @Test
    void callsLeaveNothingWithTheWeights() throws Exception {
        try (NDManager weights = NDManager.newBaseManager()) {
            DiscoveryModel model = DiscoveryModel.load(weights, null, null, null);
            int side = model.task().layout().side();
            ParameterStore store = new ParameterStore(weights, false);
            call(model, store, weights, side, false);
            int before = weights.getManagedArrays().size();
            for (int i = 0; i < 20; i++) {
                call(model, store, weights, side, i % 2 == 0);
            }
            assertEquals(before, weights.getManagedArrays().size());
        }
    }

    private static void call(
            DiscoveryModel model,
            ParameterStore store,
            NDManager weights,
            int side,
            boolean train) {
        try (NDManager manager = weights.newSubManager()) {
            NDArray images = manager.randomUniform(0, 1, new Shape(2, 3, side, side));
            if (!train) {
                model.forward(store, new NDList(images), false);
                return;
            }
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDList out = model.forward(store, new NDList(images), true);
                collector.backward(out.head().square().mean());
            }
        }
    }
}
