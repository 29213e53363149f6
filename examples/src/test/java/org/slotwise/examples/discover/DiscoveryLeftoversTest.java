package org.slotwise.examples.discover;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.examples.shared.Leftovers;

class DiscoveryLeftoversTest {

    private static NDArray images(NDManager manager, DiscoveryTask task) {
        int side = task.layout().side();
        return manager.randomUniform(0, 1, new Shape(1, 3, side, side));
    }

    @ParameterizedTest
    @EnumSource
    void leavesNothing(DiscoveryTask task) {
        try (NDManager weights = NDManager.newBaseManager()) {
            DiscoveryModel model = DiscoveryModel.initialized(weights, task, Map.of());
            Leftovers.none(
                    weights,
                    model,
                    own -> new NDList(images(own, task)),
                    own -> {
                        Random random = new Random(0);
                        return new NDList(
                                images(own, task),
                                model.slotStart().draw(own, 1, 0.1f, random),
                                DiscoveryModel.plan(own, 3, new PixelLattice(3, 0, 0)));
                    });
            TracedDiscovery traced = new TracedDiscovery(model, 2);
            Leftovers.none(
                    "traced",
                    weights,
                    own ->
                            traced.forward(
                                    new ParameterStore(own, false),
                                    new NDList(images(own, task)),
                                    false));
            Leftovers.none(
                    "segmented",
                    weights,
                    own -> model.segmenting(2).segment(own, images(own, task)));
        }
    }
}
