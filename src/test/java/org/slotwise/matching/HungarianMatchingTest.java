package org.slotwise.matching;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class HungarianMatchingTest {

    private static NDArray costs(NDManager manager, double[][] matrix) {
        double[] flat = new double[matrix.length * matrix[0].length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = matrix[i / matrix[0].length][i % matrix[0].length];
        }
        return manager.create(flat, new Shape(1, matrix.length, matrix[0].length));
    }

    /** The least cost over all ways to match, by trying them all. */
    private static double least(double[][] costs, int row, boolean[] taken, int skipsLeft) {
        if (row == costs.length) {
            return 0;
        }
        double least =
                skipsLeft > 0
                        ? least(costs, row + 1, taken, skipsLeft - 1)
                        : Double.POSITIVE_INFINITY;
        for (int column = 0; column < taken.length; column++) {
            if (!taken[column]) {
                taken[column] = true;
                least =
                        Math.min(
                                least,
                                costs[row][column] + least(costs, row + 1, taken, skipsLeft));
                taken[column] = false;
            }
        }
        return least;
    }

    @Test
    void textbookExample(NDManager manager) {
        Assignment found =
                HungarianMatching.match(
                        costs(manager, new double[][] {{4, 1, 3}, {2, 0, 5}, {3, 2, 2}}));
        assertArrayEquals(new long[] {0, 1, 2}, found.rows().toLongArray());
        assertArrayEquals(new long[] {1, 0, 2}, found.columns().toLongArray());
        assertEquals(new Shape(1, 3), found.rows().getShape());
        assertEquals(DataType.INT64, found.columns().getDataType());
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,5", "5,1", "4,4", "6,6", "3,6", "6,3", "7,5", "2,7"})
    void costsAsLittleAsTheBestOfAllWays(int rows, int columns, NDManager manager) {
        Random random = new Random(rows * 10L + columns);
        for (int kind = 0; kind < 4; kind++) {
            int images = 10;
            double[] all = new double[images * rows * columns];
            for (int i = 0; i < all.length; i++) {
                all[i] =
                        switch (kind) {
                            case 0 -> random.nextGaussian();
                            case 1 -> random.nextInt(3); // many ties
                            case 2 -> 1e6 * random.nextDouble() - 5e5;
                            default -> 0;
                        };
            }
            NDArray costs = manager.create(all, new Shape(images, rows, columns));
            Assignment found = HungarianMatching.match(costs);
            double[] totals = found.pick(costs).sum(new int[] {1}).toDoubleArray();
            long[] r = found.rows().toLongArray();
            long[] c = found.columns().toLongArray();
            int pairs = Math.min(rows, columns);
            for (int image = 0; image < images; image++) {
                double[][] matrix = new double[rows][columns];
                for (int i = 0; i < rows * columns; i++) {
                    matrix[i / columns][i % columns] = all[image * rows * columns + i];
                }
                double best = least(matrix, 0, new boolean[columns], Math.max(0, rows - columns));
                assertEquals(best, totals[image], 1e-9 * Math.max(1, Math.abs(best)));
                boolean[] taken = new boolean[columns];
                for (int p = image * pairs; p < (image + 1) * pairs; p++) {
                    assertTrue(p == image * pairs || r[p] > r[p - 1], "rows ascend");
                    assertTrue(!taken[(int) c[p]], "a column occurs once");
                    taken[(int) c[p]] = true;
                }
            }
        }
    }

    @Test
    void manySlots(NDManager manager) {
        // The only way without cost is a known permutation.
        int size = 60;
        double[][] matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                matrix[i][j] = j == (i * 7 + 3) % size ? 0 : 1 + (i * 31 + j * 17) % 11;
            }
        }
        long[] columns = HungarianMatching.match(costs(manager, matrix)).columns().toLongArray();
        for (int i = 0; i < size; i++) {
            assertEquals((i * 7 + 3) % size, columns[i]);
        }
    }

    @Test
    void float32AndFloat16(NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT16}) {
            NDArray costs =
                    costs(manager, new double[][] {{9, 1, 5}, {1, 9, 5}}).toType(type, false);
            Assignment found = HungarianMatching.match(costs);
            assertArrayEquals(new long[] {1, 0}, found.columns().toLongArray());
            assertEquals(type, found.pick(costs).getDataType());
        }
    }

    @Test
    void gradientsFlowToWhatWasPicked(NDManager manager) {
        NDArray costs = Tensors.normal(manager, 3, 2, 3, 4);
        Assignment found = HungarianMatching.match(costs);
        costs.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            Assignment during = HungarianMatching.match(costs);
            assertClose("columns", found.columns(), during.columns(), 0);
            NDArray loss = during.pick(costs).square().sum();
            during.rows().close();
            during.columns().close();
            Garbage.collect();
            collector.backward(loss);
        }
        NDArray chosen =
                manager.zeros(new Shape(2, 12))
                        .scatter(
                                found.rows().mul(manager.create(4L)).add(found.columns()),
                                manager.ones(new Shape(2, 3)),
                                1)
                        .reshape(2, 3, 4);
        NDArray expected = chosen.mul(costs.duplicate()).mul(manager.create(2f));
        assertClose("gradient", expected, costs.getGradient(), 1e-6);
    }

    /** As for {@code pick}, where users gather by the columns themselves. */
    @Test
    void indicesOutliveTheirHandles(NDManager manager) {
        NDArray x = Tensors.normal(manager, 4, 1, 3);
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            Assignment found =
                    HungarianMatching.match(costs(manager, new double[][] {{9, 9, 1}, {1, 9, 9}}));
            NDArray weights = manager.create(new float[] {5, 7}, new Shape(1, 2));
            NDArray loss = x.gather(found.columns(), 1).mul(weights).sum();
            found.rows().close();
            found.columns().close();
            Garbage.collect();
            collector.backward(loss);
        }
        assertArrayEquals(new float[] {7, 0, 5}, x.getGradient().toFloatArray());
    }

    @Test
    void leavesNothingButTheAssignment(NDManager manager) {
        NDArray costs = Tensors.normal(manager, 3, 2, 3, 4);
        int before = manager.getManagedArrays().size();
        Assignment found = HungarianMatching.match(costs);
        assertEquals(before + 2, manager.getManagedArrays().size());
        found.pick(costs);
        assertEquals(before + 3, manager.getManagedArrays().size());
    }

    @Test
    void refuses(NDManager manager) {
        assertRefused(
                "HungarianMatching: costs must be (B, N, M), got (3, 4)",
                () -> HungarianMatching.match(Tensors.normal(manager, 1, 3, 4)));
        assertRefused(
                "HungarianMatching: costs must be (B, N, M), each size at least 1, got (2, 0, 4)",
                () -> HungarianMatching.match(manager.zeros(new Shape(2, 0, 4))));
        assertRefused(
                "HungarianMatching: costs must be float32, float64 or float16, got int64",
                () -> HungarianMatching.match(manager.ones(new Shape(1, 2, 2), DataType.INT64)));
        assertRefused(
                "HungarianMatching.match: costs must not be null",
                () -> HungarianMatching.match(null));
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    "HungarianMatching: costs must be finite, got " + bad,
                    () -> HungarianMatching.match(costs(manager, new double[][] {{1, bad}})));
        }
    }

    @Test
    void pickRefuses(NDManager manager) {
        Assignment found = HungarianMatching.match(Tensors.normal(manager, 1, 2, 3, 4));
        assertRefused(
                "Assignment: matrices must be (2, N, M), got (1, 3, 4)",
                () -> found.pick(Tensors.normal(manager, 1, 1, 3, 4)));
        assertRefused(
                "Assignment: the smaller of rows and columns of matrices must be 3, got (2, 2, 4)",
                () -> found.pick(Tensors.normal(manager, 1, 2, 2, 4)));
        assertRefused(
                "Assignment: matrices must be on "
                        + found.rows().getDevice()
                        + " as the matched rows, got gpu(7)",
                () -> found.pick(FakeArray.on(Device.gpu(7), Tensors.normal(manager, 1, 2, 3, 4))));
    }
}
