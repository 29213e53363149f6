package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.examples.discover.DiscoveryModel;
import org.slotwise.examples.shared.Leftovers;

class CodecLeftoversTest {

    private static NDList slots(NDManager own) {
        return new NDList(
                own.randomNormal(new Shape(1, 4, DiscoveryModel.SLOT_DIM)),
                own.randomUniform(0, 1, new Shape(1, 4, 2)));
    }

    @Test
    void leavesNothing() throws IOException {
        try (NDManager weights = NDManager.newBaseManager()) {
            DiscreteModel model = DiscreteModel.fresh(weights, 2, 4);
            Leftovers.none(
                    weights,
                    model.codec(),
                    CodecLeftoversTest::slots,
                    own -> {
                        NDList inputs = slots(own);
                        inputs.add(SlotCodec.pixels(own, new PixelLattice(3, 0, 0)));
                        return inputs;
                    });
            Leftovers.none("measured", weights, own -> model.codec().measure(slots(own).head()));
            Leftovers.none("drawn", weights, own -> draw(model, own));
        }
    }

    private static void draw(DiscreteModel model, NDManager own) {
        NDArray images = own.randomUniform(0, 1, new Shape(1, 3, 35, 35));
        EditFigure.draw(model, images, List.of(List.of(0, 1), List.of(1)));
    }
}
