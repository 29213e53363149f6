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
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class PlaceEntropyLossTest {

    private static final int SIDE = 8;

    private final PlaceEntropyLoss loss = new PlaceEntropyLoss();

    private double of(NDArray masks) {
        return doubles(loss.evaluate(new NDList(), new NDList(masks)))[0];
    }

    /** One image of hard masks, from the slot of each pixel. */
    private static NDArray hard(NDManager manager, int slots, int... labels) {
        double[] masks = new double[slots * labels.length];
        for (int i = 0; i < labels.length; i++) {
            masks[labels[i] * labels.length + i] = 1;
        }
        return manager.create(masks, new Shape(1, slots, SIDE, labels.length / SIDE));
    }

    private static int[] squares(int left, int right) {
        int[] labels = new int[SIDE * SIDE];
        for (int y = 3; y < 5; y++) {
            for (int x = 0; x < 2; x++) {
                labels[y * SIDE + x] = left;
                labels[y * SIDE + 6 + x] = right;
            }
        }
        return labels;
    }

    @Test
    void isTheEntropyOfSlotsAndPlaces(NDManager manager) {
        double[] m = doubles(Tensors.normal(manager, 3, DataType.FLOAT64, 2, 3, 4, 5).softmax(1));
        double expected = 0;
        for (int b = 0; b < 2; b++) {
            for (int k = 0; k < 3; k++) {
                double[] s = new double[6];
                for (int i = 0; i < 20; i++) {
                    int row = i / 5;
                    double y = row / 3.0;
                    double x = i % 5 / 4.0;
                    double w = m[(b * 3 + k) * 20 + i];
                    double[] powers = {1, y, x, y * y, x * x, x * y};
                    for (int j = 0; j < 6; j++) {
                        s[j] += w * powers[j];
                    }
                }
                double y = s[1] / s[0];
                double x = s[2] / s[0];
                double yy = s[3] / s[0] - y * y + 4e-4;
                double xx = s[4] / s[0] - x * x + 4e-4;
                double xy = s[5] / s[0] - x * y;
                double h = 1 + Math.log(2 * Math.PI) + Math.log(yy * xx - xy * xy) / 2;
                double share = s[0] / 20;
                expected += share * ((k == 0 ? 0 : h) - Math.log(share)) / 2;
            }
        }
        assertEquals(expected, of(manager.create(m, new Shape(2, 3, 4, 5))), 1e-9);
    }

    @Test
    void groundAloneIsFreeAndObjectsFarApartAreDearInOneSlot(NDManager manager) {
        assertEquals(0, of(hard(manager, 3, new int[SIDE * SIDE])), 1e-4);
        double apart = of(hard(manager, 3, squares(1, 2)));
        double together = of(hard(manager, 3, squares(1, 1)));
        assertTrue(apart < together, apart + " and " + together);
        int[] halves = new int[SIDE * SIDE];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = i % SIDE < SIDE / 2 ? 1 : 2;
        }
        assertTrue(of(hard(manager, 3, halves)) > 0.1, "a ground in pieces gains nothing");
    }

    @Test
    void gradientIsThatOfFiniteDifferences(NDManager manager) {
        NDArray masks = Tensors.normal(manager, 3, DataType.FLOAT64, 1, 3, 2, 3).softmax(1);
        double[] values = doubles(masks);
        masks.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(loss.evaluate(new NDList(), new NDList(masks)));
        }
        double[] gradient = doubles(masks.getGradient());
        for (int i = 0; i < values.length; i++) {
            double[] more = values.clone();
            double[] less = values.clone();
            more[i] += 1e-6;
            less[i] -= 1e-6;
            double expected =
                    (of(manager.create(more, new Shape(1, 3, 2, 3)))
                                    - of(manager.create(less, new Shape(1, 3, 2, 3))))
                            / 2e-6;
            assertEquals(expected, gradient[i], 1e-6);
        }
    }

    @Test
    void refusesWhatIsNoMasks(NDManager manager) {
        String who = "PlaceEntropyLoss: ";
        assertRefused(
                who + "expected one array of masks, got 0; see IndexLoss",
                () -> loss.evaluate(new NDList(), new NDList()));
        assertRefused(
                who + "masks must be (B, K, H, W), got (2, 3, 4)",
                () -> loss.evaluate(new NDList(), new NDList(manager.zeros(new Shape(2, 3, 4)))));
        assertEquals(Double.NaN, of(manager.full(new Shape(1, 2, 2, 2), Float.NaN)));
    }
}
