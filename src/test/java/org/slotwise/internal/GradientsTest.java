package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class GradientsTest {

    @Test
    void thereIsOneAfterABackwardPassOnly(NDManager manager) {
        NDArray x = manager.ones(new Shape(2), DataType.FLOAT64);
        assertNull(Gradients.of(x));
        x.setRequiresGradient(true);
        assertNull(Gradients.of(x));
        Gradients.zero(x);
        assertNull(Gradients.of(x));
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(x.square().sum());
        }
        int before = manager.getManagedArrays().size();
        try (NDArray gradient = Gradients.of(x)) {
            assertEquals(before + 1, manager.getManagedArrays().size());
            assertArrayEquals(new double[] {2, 2}, Ops.read(gradient));
            Gradients.zero(x);
            assertArrayEquals(new double[] {0, 0}, Ops.read(gradient));
        }
        assertEquals(before, manager.getManagedArrays().size());
    }

    @Test
    void readingLeavesNothing(NDManager manager) {
        NDArray range = Ops.range(manager.zeros(new Shape()), 3);
        assertEquals(DataType.INT64, range.getDataType());
        int before = manager.getManagedArrays().size();
        assertArrayEquals(new double[] {0, 1, 2}, Ops.read(range));
        NDArray halves = manager.create(new float[] {0.5f, Float.NaN}).reshape(2, 1);
        before += 2;
        assertArrayEquals(new double[] {0.5, Double.NaN}, Ops.read(halves));
        halves.setRequiresGradient(true);
        assertArrayEquals(new double[] {0.5, Double.NaN}, Ops.read(halves));
        assertEquals(before, manager.getManagedArrays().size());
        assertEquals(0, Ops.range(halves, 0).size());
    }
}
