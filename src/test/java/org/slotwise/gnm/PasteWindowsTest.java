package org.slotwise.gnm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;

/** What is drawn in windows is what is drawn in whole pictures, and so are gradients. */
@ExtendWith(OnDevice.class)
class PasteWindowsTest {

    private static final int BATCH = 2;
    private static final int GRID = 2;
    private static final int CELLS = BATCH * GRID * GRID;

    /** Leaves of which gradients are taken: glimpses, presence, where, depth, background. */
    private record Leaves(
            NDArray glimpses, NDArray presence, NDArray where, NDArray depth, NDArray background) {

        static Leaves of(NDManager manager, int seed, int pixels, int glimpse, double[]... places) {
            manager.getEngine().setRandomSeed(seed);
            Shape cell = new Shape(BATCH, 1, GRID, GRID);
            double[] where = new double[4 * CELLS];
            for (int n = 0; n < CELLS; n++) {
                for (int i = 0; i < 4; i++) {
                    int at = ((n / 4) * 4 + i) * 4 + n % 4;
                    where[at] = places[n % places.length][i];
                }
            }
            return new Leaves(
                    leaf(manager, new Shape(CELLS, 4, glimpse, glimpse)),
                    leaf(manager, cell),
                    leaf(manager.create(where, new Shape(BATCH, 4, GRID, GRID))),
                    leaf(manager, cell),
                    leaf(manager, new Shape(BATCH, 3, pixels, pixels)));
        }

        private static NDArray leaf(NDManager manager, Shape shape) {
            return leaf(manager.randomUniform(0.1f, 0.9f, shape, DataType.FLOAT64));
        }

        private static NDArray leaf(NDArray array) {
            NDArray own = array.duplicate();
            own.setRequiresGradient(true);
            return own;
        }

        List<NDArray> all() {
            return List.of(glimpses, presence, where, depth, background);
        }

        Cells cells() {
            return new Cells(presence, where, where, depth, where);
        }

        NDArray rows() {
            return Cells.rows(where);
        }
    }

    private static NDArray ordered(NDArray glimpses, PasteWindows windows) {
        Shape s = glimpses.getShape();
        NDArray rows = glimpses.reshape(s.get(0), s.size() / s.get(0));
        return Ops.rows(rows, windows.order()).reshape(-1, s.get(1), s.get(2), s.get(3));
    }

    private static List<double[]> drawn(
            Leaves in, @Nullable PasteWindows windows, @Nullable Double covered) {
        int pixels = (int) in.background.getShape().get(2);
        Renderer renderer = new Renderer(pixels, true);
        List<double[]> numbers = new ArrayList<>();
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray glimpses = windows == null ? in.glimpses : ordered(in.glimpses, windows);
            RenderedScenes out =
                    renderer.draw(glimpses, in.cells(), windows, in.background, covered);
            numbers.add(out.picture().toDoubleArray());
            numbers.add(out.foreground().toDoubleArray());
            numbers.add(out.alpha().toDoubleArray());
            numbers.add(out.masks().toDoubleArray());
            collector.backward(out.picture().square().sum().add(out.masks().square().sum()));
        }
        for (NDArray leaf : in.all()) {
            NDArray gradient = leaf.getGradient();
            numbers.add(gradient.toDoubleArray());
            gradient.muli(0);
        }
        return numbers;
    }

    private static void assertAlike(List<double[]> expected, List<double[]> got) {
        for (int i = 0; i < expected.size(); i++) {
            double largest =
                    Arrays.stream(expected.get(i))
                            .map(Math::abs)
                            .filter(Double::isFinite)
                            .max()
                            .orElse(0);
            assertArrayEquals(expected.get(i), got.get(i), 1e-10 * Math.max(largest, 1), "" + i);
        }
    }

    private static long[] all() {
        return LongStream.range(0, CELLS).toArray();
    }

    @ParameterizedTest
    @CsvSource({"1, 32, 8", "2, 33, 5", "3, 7, 8", "4, 128, 16", "5, 1, 3", "6, 16, 1"})
    void asInWholePictures(int seed, int pixels, int glimpse, NDManager manager) {
        Random random = new Random(seed);
        double[][] places = new double[CELLS][];
        for (int n = 0; n < CELLS; n++) {
            double size = Math.exp(-3 * random.nextDouble());
            places[n] =
                    new double[] {
                        size,
                        size * Math.exp(random.nextGaussian()),
                        1.5 * random.nextGaussian(),
                        1.5 * random.nextGaussian()
                    };
        }
        Leaves in = Leaves.of(manager, seed, pixels, glimpse, places);
        PasteWindows windows = PasteWindows.of(in.rows(), all(), glimpse, pixels);
        for (Double covered : new Double[] {null, 0.9}) {
            List<double[]> expected = drawn(in, null, covered);
            assertAlike(expected, drawn(in, windows, covered));
            assertAlike(expected, drawn(in, PasteWindows.whole(in.rows(), all(), pixels), covered));
        }
    }

    /** As large as the picture and larger, a point, outside on every side, and at the edges. */
    @Test
    void placesAtTheLimits(NDManager manager) {
        Leaves in =
                Leaves.of(
                        manager,
                        7,
                        32,
                        8,
                        new double[] {1, 1, 0, 0},
                        new double[] {9, 0.01, 0.3, -0.2},
                        new double[] {1e-12, 1e-12, 1.0 / 32, 1.0 / 32},
                        new double[] {0.1, 0.1, 5, 0},
                        new double[] {0.1, 0.1, 0, -5},
                        new double[] {0.25, 0.25, -1, -1},
                        new double[] {0.25, 0.25, 1, 1},
                        new double[] {0.25, 0.5, -0.5, 0.25});
        PasteWindows windows = PasteWindows.of(in.rows(), all(), 8, 32);
        assertAlike(drawn(in, null, null), drawn(in, windows, null));
    }

    /** Absent cells count as if their presence were 0. */
    @Test
    void someCellsAlone(NDManager manager) {
        double[] place = {0.4, 0.3, 0.1, -0.2};
        double[] other = {0.2, 0.6, -0.4, 0.5};
        Leaves in = Leaves.of(manager, 8, 32, 8, place, other);
        long[] some = {1, 3, 6};
        float[] present = new float[CELLS];
        LongStream.of(some).forEach(n -> present[(int) n] = 1);
        NDArray z = manager.create(present, new Shape(BATCH, 1, GRID, GRID));
        Cells cells =
                new Cells(
                        z.toType(DataType.FLOAT64, false), in.where, in.where, in.depth, in.where);
        Renderer renderer = new Renderer(32, true);
        NDArray expected =
                NoGraph.during(
                        () ->
                                renderer.draw(in.glimpses, cells, null, in.background, null)
                                        .picture());
        PasteWindows windows = PasteWindows.of(in.rows(), some, 8, 32);
        RenderedScenes got =
                NoGraph.during(
                        () ->
                                renderer.draw(
                                        ordered(in.glimpses, windows),
                                        cells,
                                        windows,
                                        in.background,
                                        null));
        assertArrayEquals(expected.toDoubleArray(), got.picture().toDoubleArray(), 1e-12);
        double[] masks = got.masks().sum(new int[] {2, 3, 4}).toDoubleArray();
        for (int n = 0; n < CELLS; n++) {
            assertEquals(present[n] == 1, masks[n] > 0, "cell " + n);
        }
    }

    /** Small cells are not drawn as large as the largest, and few groups are made. */
    @Test
    void cellsOfOneSizeGoTogether(NDManager manager) {
        double[] small = {0.1, 0.1, 0, 0};
        double[] large = {0.9, 0.9, 0, 0};
        Leaves in = Leaves.of(manager, 9, 128, 16, small, small, small, large);
        long[] plan = PasteWindows.of(in.rows(), all(), 16, 128).plan().toLongArray();
        assertEquals(2, plan[0], Arrays.toString(plan));
        long[] counts = {plan[1], plan[2]};
        Arrays.sort(counts);
        assertArrayEquals(new long[] {2, 6}, counts);
        int ofSmall = plan[1] == 6 ? 1 : 2;
        assertTrue(plan[ofSmall + 2] <= 16 && plan[ofSmall + 4] <= 16, Arrays.toString(plan));
        // Where all are small pictures, one group costs less than two.
        Leaves tiny = Leaves.of(manager, 9, 16, 16, small, small, small, large);
        assertEquals(1, PasteWindows.of(tiny.rows(), all(), 16, 16).plan().toLongArray()[0]);
    }

    @Test
    void placesThatAreNoNumbers(NDManager manager) {
        double[] none = {Double.NaN, 0.1, 0, 0};
        double[] infinite = {0.1, 0.1, Double.POSITIVE_INFINITY, 0};
        Leaves in = Leaves.of(manager, 10, 16, 4, none, infinite, new double[] {0.2, 0.2, 0, 0});
        PasteWindows windows = PasteWindows.of(in.rows(), all(), 4, 16);
        List<double[]> expected = drawn(in, null, null);
        assertAlike(List.of(expected.get(0)), drawn(in, windows, null).subList(0, 1));
    }
}
