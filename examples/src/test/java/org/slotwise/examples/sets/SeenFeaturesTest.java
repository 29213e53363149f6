package org.slotwise.examples.sets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.slotwise.grouping.PerceptualGroupingOutput;

class SeenFeaturesTest {

    /** By hand: a slot of two features, one of three quarters of another, one of none. */
    @Test
    void featuresAreWeighedByWhatBelongsToASlot() {
        try (NDManager manager = NDManager.newBaseManager()) {
            SeenFeatures seen = new SeenFeatures(1, 2);
            seen.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 1));
            NDArray features = manager.create(new float[] {0, 2, 0, 6, 5, 1}, new Shape(1, 3, 2));
            NDArray slots = manager.create(new float[] {7, 8, 9}, new Shape(1, 3, 1));
            NDArray r =
                    manager.create(
                            new float[] {1, 1, 0, 0, 0.25f, 0.75f, 0, 0, 0}, new Shape(1, 3, 3));
            NDArray out =
                    seen.beside(
                            new ParameterStore(manager, false),
                            new PerceptualGroupingOutput(slots, r, null),
                            features,
                            false);
            assertEquals(new Shape(1, 3, 3), out.getShape());
            assertEquals(
                    out.getShape(),
                    seen.getOutputShapes(
                                    new Shape[] {
                                        slots.getShape(), r.getShape(), features.getShape()
                                    })[0]);
            // Means (0, 4), (3.75, 2.25) and (0, 0), each less its mean, over its deviation.
            assertArrayEquals(new float[] {7, -1, 1, 8, 1, -1, 9, 0, 0}, out.toFloatArray(), 1e-4f);
        }
    }
}
