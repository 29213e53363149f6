package org.slotwise.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Gradients;
import org.slotwise.testing.FiniteDifferences;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SetPredictionLossTest {

    private final SetPredictionLoss loss = new SetPredictionLoss();

    private NDArray array(NDArray label, NDArray prediction) {
        return loss.evaluate(new NDList(label), new NDList(prediction));
    }

    private double of(NDArray label, NDArray prediction) {
        return Tensors.doubles(array(label, prediction))[0];
    }

    /** The least total over all ways to give each slot a row of its own, by trying them all. */
    private static double plain(double[][][] label, double[][][] prediction) {
        double sum = 0;
        for (int b = 0; b < label.length; b++) {
            sum += least(label[b], prediction[b], 0, new boolean[label[b].length]);
        }
        return sum / label.length;
    }

    private static double least(double[][] rows, double[][] slots, int k, boolean[] taken) {
        if (k == slots.length) {
            return 0;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int j = 0; j < rows.length; j++) {
            if (!taken[j]) {
                taken[j] = true;
                double rest = least(rows, slots, k + 1, taken);
                best = Math.min(best, cost(slots[k], rows[j]) + rest);
                taken[j] = false;
            }
        }
        return best;
    }

    private static double cost(double[] a, double[] b) {
        double sum = 0;
        for (int p = 0; p < a.length; p++) {
            double d = Math.abs(a[p] - b[p]);
            sum += d <= 1 ? d * d / 2 : d - 0.5;
        }
        return sum / a.length;
    }

    private static double[][][] nested(NDArray array, int rows) {
        long[] s = array.getShape().getShape();
        double[] flat = Tensors.doubles(array);
        double[][][] nested = new double[(int) s[0]][rows][(int) s[2]];
        for (int b = 0; b < s[0]; b++) {
            for (int k = 0; k < s[1]; k++) {
                for (int p = 0; p < s[2]; p++) {
                    nested[b][k][p] = flat[(int) ((b * s[1] + k) * s[2] + p)];
                }
            }
        }
        return nested;
    }

    @Test
    void byHand(NDManager manager) {
        // Slot 0 is off by 0.5 and 2 from row 1; slot 1 is row 0.
        NDArray label = manager.create(new float[] {5, 5, 1, 1}, new Shape(1, 2, 2));
        NDArray prediction = manager.create(new float[] {1.5f, 3, 5, 5}, new Shape(1, 2, 2));
        assertEquals((0.5 * 0.25 + 1.5) / 2, of(label, prediction), 1e-6);
        assertEquals(0, of(label, label));
        assertEquals(new Shape(), array(label, prediction).getShape());
        // The mean over images, of sums over slots.
        NDArray two = NDArrays.concat(new NDList(prediction, label), 0);
        assertEquals(
                (0.5 * 0.25 + 1.5) / 4,
                of(NDArrays.concat(new NDList(label, label), 0), two),
                1e-6);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1",
        "3, 4, 4, 5",
        "2, 5, 3, 2",
        "2, 3, 5, 4",
        "5, 1, 4, 3",
        "1, 6, 6, 19"
    })
    void isTheLeastOfAllMatchings(int images, int slots, int rows, int length, NDManager manager) {
        for (int seed = 0; seed < 5; seed++) {
            NDArray label = normal(manager, seed, DataType.FLOAT64, images, rows, length);
            NDArray prediction =
                    normal(manager, 90 + seed, DataType.FLOAT64, images, slots, length);
            // Fewer rows than slots: the others are rows of zeros.
            double expected =
                    plain(nested(label, Math.max(rows, slots)), nested(prediction, slots));
            assertEquals(expected, of(label, prediction), 1e-12);
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 3", "4, 2", "2, 4"})
    void gradientsAgreeWithFiniteDifferences(int slots, int rows, NDManager manager) {
        NDArray label = normal(manager, 1, DataType.FLOAT64, 2, rows, 3);
        FiniteDifferences.check(
                manager,
                inputs -> array(label, inputs[0]),
                normal(manager, 2, DataType.FLOAT64, 2, slots, 3));
    }

    /** Gradient of the loss with regard to the prediction. */
    private NDArray gradient(NDArray label, NDArray prediction, Runnable before) {
        NDArray x = prediction.duplicate();
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray l = array(label, x);
            before.run();
            collector.backward(l);
        }
        return x.getGradient();
    }

    @Test
    void theOrderOfSlotsAndRowsDoesNotMatter(NDManager manager) {
        NDArray label = normal(manager, 1, DataType.FLOAT64, 3, 5, 4);
        NDArray prediction = normal(manager, 2, DataType.FLOAT64, 3, 5, 4);
        NDArray order = manager.create(new long[] {3, 0, 4, 2, 1});
        NDArray moved = prediction.get(":, {}", order);
        double expected = of(label, prediction);
        assertEquals(expected, of(label.get(":, {}", order), prediction), 1e-12);
        assertEquals(expected, of(label, moved), 1e-12);
        NDArray gradient = gradient(label, prediction, () -> {});
        assertClose(
                "gradient, rows moved",
                gradient,
                gradient(label.get(":, {}", order), prediction, () -> {}),
                1e-12);
        assertClose(
                "gradient, slots moved",
                gradient.get(":, {}", order),
                gradient(label, moved, () -> {}),
                1e-12);
    }

    @Test
    void anImageAloneIsAsInABatch(NDManager manager) {
        NDArray label = normal(manager, 1, DataType.FLOAT64, 4, 3, 5);
        NDArray prediction = normal(manager, 2, DataType.FLOAT64, 4, 6, 5);
        double sum = 0;
        for (int b = 0; b < 4; b++) {
            sum += of(label.get(b + ":" + (b + 1)), prediction.get(b + ":" + (b + 1)));
        }
        assertEquals(sum / 4, of(label, prediction), 1e-12);
    }

    @Test
    void tiesGiveTheSameLoss(NDManager manager) {
        // All rows are alike, all slots too: every matching is as good.
        NDArray label = manager.ones(new Shape(2, 4, 3), DataType.FLOAT64);
        NDArray prediction = manager.zeros(new Shape(2, 4, 3), DataType.FLOAT64);
        assertEquals(4 * 0.5, of(label, prediction));
        NDArray gradient = gradient(label, prediction, () -> {});
        // Each slot is one of 2 images, and each number one of 3; |d| is 1, where both arms meet.
        assertClose("gradient", prediction.sub(1.0 / 6), gradient, 1e-12);
    }

    @Test
    void slotsWithoutAnObjectLearnToSaySo(NDManager manager) {
        // The last number is presence. The second slot has no object: it is pulled to zeros.
        NDArray label = manager.create(new float[] {0.5f, 1}, new Shape(1, 1, 2));
        NDArray prediction = manager.create(new float[] {0.5f, 1, 0.25f, 0.5f}, new Shape(1, 2, 2));
        assertEquals((0.25 * 0.25 + 0.5 * 0.5) / 2 / 2, of(label, prediction), 1e-6);
        assertClose(
                "gradient",
                manager.create(new float[] {0, 0, 0.125f, 0.25f}, new Shape(1, 2, 2)),
                gradient(label, prediction, () -> {}),
                1e-6);
    }

    @Test
    void gradientSurvivesGarbageCollection(NDManager manager) {
        NDArray prediction = normal(manager, 2, 3, 5, 4);
        NDArray quiet = gradient(normal(manager, 1, 3, 2, 4), prediction, () -> {});
        NDArray label = normal(manager, 1, 3, 2, 4);
        NDArray stressed =
                gradient(
                        label,
                        prediction,
                        () -> {
                            label.close();
                            Garbage.collect();
                        });
        assertSame("gradient", quiet, stressed);
    }

    @Test
    void noGradientReachesTheLabels(NDManager manager) {
        NDArray label = normal(manager, 1, 2, 3, 4);
        label.setRequiresGradient(true);
        gradient(label, normal(manager, 2, 2, 3, 4), () -> {});
        assertNull(Gradients.of(label));
    }

    @Test
    void leavesNothingButTheLoss(NDManager manager) {
        NDArray label = normal(manager, 1, 3, 2, 4);
        NDArray prediction = normal(manager, 2, 3, 5, 4);
        int before = manager.getManagedArrays().size();
        array(label, prediction);
        assertEquals(before + 1, manager.getManagedArrays().size());
    }

    @Test
    void whatIsNotFiniteStaysVisible(NDManager manager) {
        float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        for (float value : bad) {
            for (int rows = 1; rows <= 3; rows++) {
                NDArray label = normal(manager, 1, 2, rows, 2);
                NDArray prediction = normal(manager, 2, 2, 2, 2);
                NDArray spoilt = prediction.duplicate();
                spoilt.set(new NDIndex("1, 1, 0"), value);
                assertFalse(Double.isFinite(of(label, spoilt)), "prediction, " + rows + " rows");
                NDArray spoiltLabel = label.duplicate();
                spoiltLabel.set(new NDIndex("0, 0, 1"), value);
                assertFalse(
                        Double.isFinite(of(spoiltLabel, prediction)), "label, " + rows + " rows");
            }
        }
    }

    @Test
    void float64AndFloat16(NDManager manager) {
        NDArray label = normal(manager, 1, 64, 10, 19);
        NDArray prediction = normal(manager, 2, 64, 10, 19);
        double expected = of(label, prediction);
        NDArray half =
                array(
                        label.toType(DataType.FLOAT16, true),
                        prediction.toType(DataType.FLOAT16, true));
        assertEquals(DataType.FLOAT16, half.getDataType());
        assertEquals(expected, Tensors.doubles(half)[0], 5e-3 * expected);
        assertEquals(
                expected,
                of(label.toType(DataType.FLOAT64, true), prediction.toType(DataType.FLOAT64, true)),
                1e-5 * expected);
        assertTrue(expected > 0);
    }

    @Test
    void errors(NDManager manager) {
        NDArray a = manager.zeros(new Shape(2, 3, 4));
        assertRefused(
                "SetPredictionLoss: expected one array of labels, got 2; see IndexLoss",
                () -> loss.evaluate(new NDList(a, a), new NDList(a)));
        assertRefused(
                "SetPredictionLoss: expected one array of predictions, got 0; see IndexLoss",
                () -> loss.evaluate(new NDList(a), new NDList()));
        assertRefused(
                "SetPredictionLoss: the prediction must be (B, K, P), got (2, 12)",
                () -> array(a, a.reshape(2, 12)));
        assertRefused(
                "SetPredictionLoss: the label must be (2, K', 4), got (1, 3, 4)",
                () -> array(manager.zeros(new Shape(1, 3, 4)), a));
        assertRefused(
                "SetPredictionLoss: the label must be (2, K', 4), got (2, 3, 5)",
                () -> array(manager.zeros(new Shape(2, 3, 5)), a));
        assertRefused(
                "SetPredictionLoss: the label must be (2, K', 4), each size at least 1, got (2, 0,"
                        + " 4)",
                () -> array(manager.zeros(new Shape(2, 0, 4)), a));
        assertRefused(
                "SetPredictionLoss: the label must be float32 as the prediction, got int64",
                () -> array(a.toType(DataType.INT64, true), a));
        assertRefused(
                "SetPredictionLoss: the prediction must be float32, float64 or float16, got int64",
                () -> array(a, a.toType(DataType.INT64, true)));
        assertEquals("sets", new SetPredictionLoss("sets").getName());
        assertEquals("SetPredictionLoss", loss.getName());
    }
}
