package org.slotwise.examples.minimal;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Leftovers;

class MinimalLeftoversTest {

    @Test
    void leavesNothing() {
        Shape sets = new Shape(2, 12, 8);
        Leftovers.Inputs inputs = own -> new NDList(own.randomNormal(sets));
        try (NDManager weights = NDManager.newBaseManager()) {
            SetAutoencoder model = new SetAutoencoder(8, 3, 16);
            model.initialize(weights, DataType.FLOAT32, sets);
            Leftovers.none(weights, model, inputs, inputs);
        }
    }
}
