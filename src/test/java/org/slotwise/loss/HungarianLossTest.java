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
import ai.djl.nn.Activation;
import ai.djl.training.GradientCollector;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.data.PropertyLayout;
import org.slotwise.internal.Gradients;
import org.slotwise.testing.FiniteDifferences;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class HungarianLossTest {

    /** Two coordinates in units of 3, attributes of two and three values, presence. */
    private static final PropertyLayout LAYOUT = new PropertyLayout(2, 3, List.of(2, 3));

    private static final int LENGTH = 8;
    private static final double ATTRIBUTES = 2;
    private static final double POSITIONS = 0.5;

    private final HungarianLoss loss = new HungarianLoss("sets", LAYOUT, ATTRIBUTES, POSITIONS);

    private NDArray array(NDArray label, NDArray prediction) {
        return loss.evaluate(new NDList(label), new NDList(prediction));
    }

    private double of(NDArray label, NDArray prediction) {
        return Tensors.doubles(array(label, prediction))[0];
    }

    /** True rows: objects, and here and there none, with leftovers in its other numbers. */
    private static NDArray truth(NDManager manager, int seed, int images, int rows) {
        Random random = new Random(seed);
        double[] values = new double[images * rows * LENGTH];
        for (int at = 0; at < values.length; at += LENGTH) {
            values[at] = random.nextDouble();
            values[at + 1] = random.nextDouble();
            values[at + 2 + random.nextInt(2)] = 1;
            values[at + 4 + random.nextInt(3)] = 1;
            values[at + 7] = random.nextInt(4) > 0 ? 1 : 0;
        }
        return manager.create(values, new Shape(images, rows, LENGTH));
    }

    /** Numbers in (0, 1); they need not sum to 1. */
    private static NDArray told(NDManager manager, int seed, int images, int slots) {
        return Activation.sigmoid(normal(manager, seed, DataType.FLOAT64, images, slots, LENGTH));
    }

    private static double cost(double[] x, int p, double[] y, int t) {
        if (t < 0 || y[t + 7] == 0) {
            return -Math.log(1 - x[p + 7]);
        }
        double sum = -Math.log(x[p + 7]);
        for (int i = 2; i < 7; i++) {
            sum -= ATTRIBUTES * y[t + i] * Math.log(x[p + i]);
        }
        for (int i = 0; i < 2; i++) {
            double d = 3 * Math.abs(x[p + i] - y[t + i]);
            sum += POSITIONS * (d <= 1 ? d * d / 2 : d - 0.5);
        }
        return sum;
    }

    /** The least total over all ways to give each slot a row of its own, by trying them all. */
    private static double least(
            double[] x, int p, double[] y, int t, int k, int slots, boolean[] taken) {
        if (k == slots) {
            return 0;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int j = 0; j < taken.length; j++) {
            if (!taken[j]) {
                taken[j] = true;
                double rest = least(x, p, y, t, k + 1, slots, taken);
                best = Math.min(best, cost(x, p + k * LENGTH, y, t + j * LENGTH) + rest);
                taken[j] = false;
            }
        }
        return best;
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 4, 4", "2, 3, 2", "2, 3, 5", "5, 1, 4"})
    void isTheLeastOfAllMatchings(int images, int slots, int rows, NDManager manager) {
        for (int seed = 0; seed < 5; seed++) {
            NDArray label = truth(manager, seed, images, rows);
            NDArray prediction = told(manager, 50 + seed, images, slots);
            int width = Math.max(rows, slots);
            NDArray padded =
                    NDArrays.concat(
                            new NDList(
                                    label,
                                    manager.zeros(
                                            new Shape(images, width, LENGTH), DataType.FLOAT64)),
                            1);
            double[] y = Tensors.doubles(padded.get(":, :" + width));
            double[] x = Tensors.doubles(prediction);
            double sum = 0;
            for (int b = 0; b < images; b++) {
                sum +=
                        least(
                                x,
                                b * slots * LENGTH,
                                y,
                                b * width * LENGTH,
                                0,
                                slots,
                                new boolean[width]);
            }
            assertEquals(sum / images, of(label, prediction), 1e-10);
        }
    }

    @Test
    void byHand(NDManager manager) {
        PropertyLayout layout = new PropertyLayout(1, 6, List.of(2));
        HungarianLoss plain = new HungarianLoss(layout);
        NDArray label = manager.create(new float[] {0.5f, 0, 1, 1}, new Shape(1, 1, 4));
        // The first slot is off by a twelfth and half sure of all; the second rightly says none.
        NDArray told =
                manager.create(
                        new float[] {7 / 12f, 0.5f, 0.5f, 0.5f, 0.9f, 0.9f, 0.1f, 0.2f},
                        new Shape(1, 2, 4));
        assertEquals(
                0.125 + 2 * Math.log(2) - Math.log(0.8),
                plain.evaluate(new NDList(label), new NDList(told)).getFloat(),
                1e-6);
        assertEquals("HungarianLoss", plain.getName());
        assertEquals("sets", loss.getName());
        assertEquals(new Shape(), plain.evaluate(new NDList(label), new NDList(told)).getShape());
    }

    @ParameterizedTest
    @CsvSource({"3, 3", "4, 2", "2, 4"})
    void gradientsAgreeWithFiniteDifferences(int slots, int rows, NDManager manager) {
        NDArray label = truth(manager, 1, 2, rows);
        FiniteDifferences.check(
                manager, inputs -> array(label, inputs[0]), told(manager, 2, 2, slots));
    }

    @Test
    void layoutsWithoutPositionsOrAttributes(NDManager manager) {
        NDArray label = manager.create(new double[] {0.25, 1}, new Shape(1, 1, 2));
        NDArray told = manager.create(new double[] {0.75, 0.5}, new Shape(1, 1, 2));
        HungarianLoss points = new HungarianLoss(new PropertyLayout(1, 1, List.of()));
        assertEquals(
                0.125 + Math.log(2),
                Tensors.doubles(points.evaluate(new NDList(label), new NDList(told)))[0],
                1e-12);
        NDArray one = manager.create(new double[] {1, 1}, new Shape(1, 1, 2));
        HungarianLoss kinds = new HungarianLoss(new PropertyLayout(0, 1, List.of(1)));
        assertEquals(
                -Math.log(0.75) + Math.log(2),
                Tensors.doubles(kinds.evaluate(new NDList(one), new NDList(told)))[0],
                1e-12);
    }

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
        NDArray label = truth(manager, 1, 3, 5);
        NDArray prediction = told(manager, 2, 3, 5);
        NDArray order = manager.create(new long[] {3, 0, 4, 2, 1});
        NDArray moved = prediction.get(":, {}", order);
        double expected = of(label, prediction);
        assertEquals(expected, of(label.get(":, {}", order), prediction), 1e-12);
        assertEquals(expected, of(label, moved), 1e-12);
        assertClose(
                "gradient, slots moved",
                gradient(label, prediction, () -> {}).get(":, {}", order),
                gradient(label, moved, () -> {}),
                1e-12);
    }

    @Test
    void whatAnAbsentRowHoldsDoesNotMatter(NDManager manager) {
        NDArray label = truth(manager, 1, 3, 5);
        NDArray present = label.get(":, :, 7:");
        assertTrue(present.min().getDouble() == 0, "some rows are absent");
        NDArray prediction = told(manager, 2, 3, 5);
        assertEquals(of(label, prediction), of(label.mul(present), prediction), 1e-12);
    }

    @Test
    void certaintyThatIsWrongCostsMuchButNotWithoutBound(NDManager manager) {
        NDArray label = manager.create(new float[] {0, 0, 1, 0, 1, 0, 0, 1}, new Shape(1, 1, 8));
        NDArray wrong = manager.create(new float[] {0, 0, 0, 1, 0, 1, 0, 0}, new Shape(1, 1, 8));
        double bound = -Math.log(1e-7);
        assertEquals((2 * ATTRIBUTES + 1) * bound, of(label, wrong), 1e-3);
        assertTrue(of(label, label) < 1e-5);
        NDArray half = array(label.toType(DataType.FLOAT16, true), half(wrong));
        assertEquals((2 * ATTRIBUTES + 1) * -Math.log(1e-4), Tensors.doubles(half)[0], 0.1);
    }

    private static NDArray half(NDArray array) {
        return array.toType(DataType.FLOAT16, true);
    }

    @Test
    void gradientSurvivesGarbageCollection(NDManager manager) {
        NDArray prediction = told(manager, 2, 3, 5);
        NDArray quiet = gradient(truth(manager, 1, 3, 2), prediction, () -> {});
        NDArray label = truth(manager, 1, 3, 2);
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
        NDArray label = truth(manager, 1, 2, 3);
        label.setRequiresGradient(true);
        gradient(label, told(manager, 2, 2, 3), () -> {});
        assertNull(Gradients.of(label));
    }

    @Test
    void leavesNothingButTheLoss(NDManager manager) {
        NDArray label = truth(manager, 1, 3, 2);
        NDArray prediction = told(manager, 2, 3, 5);
        int before = manager.getManagedArrays().size();
        array(label, prediction);
        assertEquals(before + 1, manager.getManagedArrays().size());
    }

    @Test
    void whatIsNotFiniteStaysVisible(NDManager manager) {
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            for (int number = 0; number < LENGTH; number++) {
                NDArray label = truth(manager, 1, 2, 3);
                label.get(":, :, 7").set(new NDIndex("..."), 1);
                NDArray prediction = told(manager, 2, 2, 3);
                if (Double.isNaN(value)) {
                    NDArray spoilt = prediction.duplicate();
                    spoilt.set(new NDIndex("1, 1, " + number), value);
                    assertFalse(Double.isFinite(of(label, spoilt)), "prediction " + number);
                }
                NDArray spoiltLabel = label.duplicate();
                spoiltLabel.set(new NDIndex("0, 0, " + number), value);
                assertFalse(Double.isFinite(of(spoiltLabel, prediction)), "label " + number);
            }
        }
    }

    @Test
    void errors(NDManager manager) {
        NDArray a = manager.zeros(new Shape(2, 3, LENGTH));
        assertRefused(
                "HungarianLoss: expected one array of labels, got 2; see IndexLoss",
                () -> loss.evaluate(new NDList(a, a), new NDList(a)));
        assertRefused(
                "HungarianLoss: the prediction must be (B, K, 8), got (2, 3, 7)",
                () -> array(manager.zeros(new Shape(2, 3, 7)), manager.zeros(new Shape(2, 3, 7))));
        assertRefused(
                "HungarianLoss: the label must be (2, K', 8), got (2, 3, 5)",
                () -> array(manager.zeros(new Shape(2, 3, 5)), a));
        assertRefused(
                "HungarianLoss: the label must be float32 as the prediction, got int64",
                () -> array(a.toType(DataType.INT64, true), a));
        assertRefused(
                "HungarianLoss: attributeWeight must be at least 0 and finite, got -1.0",
                () -> new HungarianLoss("x", LAYOUT, -1, 1));
        assertRefused(
                "HungarianLoss: positionWeight must be at least 0 and finite, got NaN",
                () -> new HungarianLoss("x", LAYOUT, 1, Double.NaN));
    }
}
