package org.slotwise.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class TotalVariationLossTest {

    private final TotalVariationLoss loss = new TotalVariationLoss();

    private double of(NDArray masks) {
        return doubles(loss.evaluate(new NDList(), new NDList(masks)))[0];
    }

    @Test
    void isWhatChangesBetweenNeighbours(NDManager manager) {
        double[] m = doubles(Tensors.normal(manager, 3, DataType.FLOAT64, 2, 3, 4, 5));
        double down = 0;
        double across = 0;
        for (int map = 0; map < 6; map++) {
            for (int y = 0; y < 4; y++) {
                for (int x = 0; x < 5; x++) {
                    int at = (map * 4 + y) * 5 + x;
                    down += y < 3 ? Math.abs(m[at + 5] - m[at]) : 0;
                    across += x < 4 ? Math.abs(m[at + 1] - m[at]) : 0;
                }
            }
        }
        double expected = down / (2 * 3 * 5) + across / (2 * 4 * 4);
        assertEquals(expected, of(manager.create(m, new Shape(2, 3, 4, 5))), 1e-12);
    }

    @Test
    void fromNothingToFour(NDManager manager) {
        assertEquals(0, of(manager.ones(new Shape(1, 2, 3, 4)).mul(manager.create(0.5f))));
        // A chequerboard of two slots changes twice by 1 at every step.
        NDArray board = manager.arange(12).add(manager.arange(3).repeat(0, 4)).mod(2);
        NDArray one = board.toType(DataType.FLOAT32, false).reshape(1, 1, 3, 4);
        NDArray two = one.neg().add(1);
        assertEquals(4, of(one.concat(two, 1)), 1e-6);
        assertEquals(0, of(manager.ones(new Shape(1, 2, 1, 1))));
        assertEquals(Double.NaN, of(manager.full(new Shape(1, 2, 2, 2), Float.NaN)));
    }

    @Test
    void gradientIsThatOfFiniteDifferences(NDManager manager) {
        NDArray masks = Tensors.normal(manager, 3, DataType.FLOAT64, 1, 2, 3, 4);
        masks.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray l = loss.evaluate(new NDList(), new NDList(masks));
            Garbage.collect();
            collector.backward(l);
        }
        double[] gradient = doubles(masks.getGradient());
        double[] values = doubles(masks);
        double step = 1e-6;
        double largest = 0;
        for (int i = 0; i < values.length; i++) {
            double[] more = values.clone();
            double[] less = values.clone();
            more[i] += step;
            less[i] -= step;
            double difference =
                    of(manager.create(more, masks.getShape()))
                            - of(manager.create(less, masks.getShape()));
            assertEquals(difference / (2 * step), gradient[i], 1e-8);
            largest = Math.max(largest, Math.abs(gradient[i]));
        }
        assertTrue(largest > 0.05);
    }

    @Test
    void refusesWhatAreNoMasks(NDManager manager) {
        NDArray masks = manager.zeros(new Shape(2, 3, 4));
        assertRefused(
                "TotalVariationLoss: masks must be (B, K, H, W), got (2, 3, 4)", () -> of(masks));
        assertRefused(
                "TotalVariationLoss: expected one array of masks, got 2; see IndexLoss",
                () -> loss.evaluate(new NDList(), new NDList(masks, masks)));
        assertRefused(
                "TotalVariationLoss: masks must be (B, K, H, W), each size at least 1, got (0, 3, 4, 5)",
                () -> of(manager.zeros(new Shape(0, 3, 4, 5))));
    }
}
