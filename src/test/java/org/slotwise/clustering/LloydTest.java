package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.testing.EngineThreads;
import org.slotwise.testing.KMeansCases;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/**
 * {@link Lloyd} with several starts for each image: {@link BatchedLloyd}, {@link ThreadedLloyd},
 * {@link BoundedLloyd}.
 */
@ExtendWith(OnDevice.class)
class LloydTest {

    static Stream<Arguments> casesByType() {
        return Stream.of("float64", "few_values", "fewer_values", "in_a_line", "pairs")
                .flatMap(
                        name ->
                                Stream.of(DataType.FLOAT64, DataType.FLOAT32)
                                        .map(type -> Arguments.of(name, type)));
    }

    /** By its gain the best start of an image is chosen: it must fit what the start came to. */
    @ParameterizedTest
    @MethodSource("casesByType")
    void gainsAreThoseOfTheCentersAndLabels(String name, DataType type, NDManager manager) {
        Map<String, NDArray> arrays = ReferenceCase.under(name + "/", KMeansCases.read(manager));
        NoGraph.during(
                () -> {
                    CentredFeatures input =
                            CentredFeatures.of(
                                    "test",
                                    "centers",
                                    arrays.get("features").toType(type, true),
                                    arrays.get("centers").toType(type, true),
                                    false);
                    NDArray x = input.values; // (B, N, F)
                    NDArray given = input.centers; // (B, K, F)
                    // Two starts: the given centres, and all of them on the first.
                    NDArray first = given.get(":, 0:1").broadcast(given.getShape());
                    NDArray starts = given.expandDims(1).concat(first.expandDims(1), 1);
                    double[] tolerance = new double[(int) x.getShape().get(0)];
                    Lloyd.Result result =
                            Lloyd.of(x, starts).run(x, starts, new LloydCourse(tolerance, 300, 1));
                    double[] labels = doubles(result.labels);
                    Shape s = starts.getShape();
                    double[] c = doubles(result.centers);
                    double[] points = doubles(x);
                    int size = (int) x.getShape().get(1);
                    int dim = (int) s.get(3);
                    for (int start = 0; start < result.gains.length; start++) {
                        double gain = 0;
                        for (int j = 0; j < size; j++) {
                            int k = (int) labels[start * size + j];
                            for (int f = 0; f < dim; f++) {
                                double v = c[(start * (int) s.get(2) + k) * dim + f];
                                gain += points[(start / 2 * size + j) * dim + f] * v - v * v / 2;
                            }
                        }
                        double rounding = type == DataType.FLOAT64 ? 1e-9 : 1e-5;
                        assertEquals(gain, result.gains[start], rounding * (1 + Math.abs(gain)));
                    }
                    return result;
                });
    }

    /** Sizes below and above those of the loops' blocks, odd and even, and one of everything. */
    @ParameterizedTest
    @CsvSource({
        "3, 50, 6, 4, 5",
        "1, 1, 1, 1, 1",
        "2, 5, 3, 5, 2",
        "1, 17, 1, 2, 3",
        "2, 300, 7, 3, 2",
        "1, 1000, 5, 9, 2",
        "1, 700, 33, 26, 1"
    })
    void bothWaysComeToTheSame(int b, int n, int f, int k, int r, NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, b, n, f);
        NDArray starts = x.get(":, :" + k).expandDims(1).repeat(1, r);
        starts = starts.add(Tensors.normal(manager, 2, b, r, k, f).mul(0.1f));
        assertSameResult(x, starts, 1e-4);
    }

    /** Centres far from all features lose them; several at once, and again in later rounds. */
    @Test
    void bothWaysFillEmptiedClustersAlike(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 4, 40, 3);
        NDArray starts = Tensors.normal(manager, 2, 4, 6, 5, 3).mul(20f);
        assertSameResult(x, starts, 0);
    }

    private static void assertSameResult(NDArray x, NDArray starts, double tol) {
        assertSameResult(x, starts, tol, 1);
        assertSameResult(x, starts, tol, 1.7);
        assertSameResult(x, starts, tol, 1.95);
    }

    private static void assertSameResult(NDArray x, NDArray starts, double tol, double relaxation) {
        Assumptions.assumeFalse(x.getDevice().isGpu());
        double[] tolerance = new double[(int) x.getShape().get(0)];
        Arrays.fill(tolerance, tol);
        for (int maxIter : new int[] {1, 2, 3, 300}) {
            LloydCourse course = new LloydCourse(tolerance, maxIter, relaxation);
            Lloyd.Result batched = BatchedLloyd.run(x, starts, course);
            Lloyd.Result threaded = ThreadedLloyd.run(x, starts, course);
            Tensors.assertSame("labels", batched.labels, threaded.labels);
            assertClose("centers", batched.centers, threaded.centers, 1e-5);
            assertArrayEquals(batched.iterations, threaded.iterations);
            double largest = Arrays.stream(batched.gains).map(Math::abs).max().orElseThrow();
            assertArrayEquals(batched.gains, threaded.gains, 1e-5 * largest);
            Lloyd.Result bounded = BoundedLloyd.run(x, starts, course);
            Tensors.assertSame("labels by bounds", batched.labels, bounded.labels);
            assertClose("centers by bounds", batched.centers, bounded.centers, 1e-5);
            assertArrayEquals(batched.iterations, bounded.iterations);
            assertArrayEquals(batched.gains, bounded.gains, 1e-5 * largest);
        }
    }

    /**
     * Every feature lies on its centre and a cluster is empty: nothing is taken over. Were the
     * first feature taken, its own cluster would be left without.
     */
    @Test
    void aClusterStaysEmptyWhereEveryFeatureLiesOnItsCentre(NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        float[] values = {-6, 2, 2, 2, 2}; // of mean 0.4: as they are here, they need no centring
        NDArray x = manager.create(values, new Shape(1, 5, 1));
        NDArray starts = manager.create(new float[] {-6, 2, 50}, new Shape(1, 1, 3, 1));
        for (int maxIter : new int[] {1, 300}) {
            for (Lloyd lloyd :
                    new Lloyd[] {BatchedLloyd::run, ThreadedLloyd::run, BoundedLloyd::run}) {
                Lloyd.Result found =
                        lloyd.run(x, starts, new LloydCourse(new double[1], maxIter, 1.7));
                assertArrayEquals(new double[] {0, 1, 1, 1, 1}, doubles(found.labels));
                assertArrayEquals(new double[] {-6, 2, 2}, doubles(found.centers));
            }
        }
    }

    /** Whole numbers are often equally near to several centres, and on top of each other. */
    @ParameterizedTest
    @CsvSource({"1, 600, 1, 4, 3", "1, 700, 2, 9, 4", "2, 300, 3, 5, 2", "1, 260, 9, 3, 1"})
    void tiesAreBrokenAlike(int b, int n, int f, int k, int r, NDManager manager) {
        NDArray x = Tensors.normal(manager, 5, b, n, f).mul(2).round();
        NDArray starts = x.get(":, :" + k).expandDims(1).repeat(1, r);
        starts = starts.add(Tensors.normal(manager, 6, b, r, k, f).round());
        assertSameResult(x, starts, 0);
    }

    private static Lloyd.Result inFloat64(NDArray x, NDArray starts, LloydCourse course) {
        return BatchedLloyd.run(
                x.toType(DataType.FLOAT64, false), starts.toType(DataType.FLOAT64, false), course);
    }

    /** Clear groups, vague ones, far from 0 and none, over many iterations. */
    @ParameterizedTest
    @CsvSource({
        "0.1, 0, 1",
        "0.5, 0, 1",
        "1, 0, 1",
        "1, 30, 1",
        "4, 0, 1",
        "1, 0, 1.7",
        "4, 0, 1.9"
    })
    void manyFeaturesComeToTheSameByBounds(
            double spread, double away, double relaxation, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        int n = 3000;
        int k = 12;
        NDArray means = Tensors.normal(manager, 7, DataType.FLOAT64, 1, k, 20).repeat(1, n / k);
        NDArray noise = Tensors.normal(manager, 8, DataType.FLOAT64, 1, n, 20).mul(spread);
        NDArray wide = means.add(noise).add(away);
        NDArray x = wide.toType(DataType.FLOAT32, false);
        NDArray starts = x.get(":, :2400:200").expandDims(1).duplicate();
        LloydCourse course = new LloydCourse(new double[1], 300, relaxation);
        Lloyd.Result exact = inFloat64(x, starts, course);
        Lloyd.Result bounded = BoundedLloyd.run(x, starts, course);
        assertArrayEquals(doubles(exact.labels), doubles(bounded.labels));
        assertArrayEquals(exact.iterations, bounded.iterations);
        assertArrayEquals(doubles(exact.centers), doubles(bounded.centers), 1e-5 * (1 + away));
        assertEquals(exact.gains[0], bounded.gains[0], 1e-6 * Math.abs(exact.gains[0]));
    }

    /** Along a line, at whose end all centres begin: more iterations than bounds remember. */
    @ParameterizedTest
    @CsvSource({"2000, 20, 8, 1", "1500, 24, 6, 1", "3000, 24, 6, 1.6"})
    void longRunsComeToTheSameByBounds(int n, int k, int f, double relaxation, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x = Tensors.normal(manager, 11, 1, n, f).mul(0.05f);
        x.set(new NDIndex(":, :, 0"), manager.arange(n).toType(DataType.FLOAT32, false).div(200));
        NDArray starts = x.get(":, :" + k).expandDims(1).duplicate();
        LloydCourse course = new LloydCourse(new double[1], 1000, relaxation);
        Lloyd.Result exact = inFloat64(x, starts, course);
        assertTrue(exact.iterations[0] > CenterHistory.LONGEST, () -> "" + exact.iterations[0]);
        Lloyd.Result bounded = BoundedLloyd.run(x, starts, course);
        assertArrayEquals(doubles(exact.labels), doubles(bounded.labels));
        assertArrayEquals(exact.iterations, bounded.iterations);
    }

    /** Of one centre there is no next one; of equal ones the first is the nearest. */
    @Test
    void oneCenterAndEqualCentersComeToTheSame(NDManager manager) {
        NDArray x = Tensors.normal(manager, 3, 1, 1500, 20);
        assertSameResult(x, x.get(":, :1").expandDims(1).duplicate(), 1e-4);
        NDArray equal = x.get(":, :1").repeat(1, 3).expandDims(1).duplicate();
        assertSameResult(x, equal, 1e-4);
    }

    /** Few numbers, so that many features are on top of centres, and many, few and wide. */
    @ParameterizedTest
    @CsvSource({"2, 300, 3, 5, 2", "1, 9001, 8, 7, 3", "2, 40, 2, 1, 2", "1, 500, 4, 30, 1"})
    void loopsDrawTheSameStarts(int b, int n, int f, int k, int r, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x = Tensors.normal(manager, 3, b, n, f).mul(2).round();
        NoGraph.during(
                () -> {
                    CentredFeatures input = CentredFeatures.of("test", "centers", x, null, false);
                    for (Long seed : new Long[] {1L, 2L}) {
                        InitialCenters centers = new InitialCenters(input);
                        Tensors.assertSame(
                                "rows",
                                centers.operations(k, r, new UniformDraws(seed)),
                                centers.loops(k, r, new UniformDraws(seed)));
                    }
                    return x;
                });
    }

    /** Features in several boxes, of which some are beyond the grid, and in several chunks. */
    @ParameterizedTest
    @CsvSource({"1, 6, 1", "2, 9, 1", "3, 20, 1", "3, 4, 1000", "9, 8, 1"})
    void manyFeaturesComeToTheSame(int f, int k, double farthest, NDManager manager) {
        NDArray x = Tensors.normal(manager, 9, 1, 9000, f);
        x.set(new NDIndex(":, 17, 0"), farthest);
        NDArray starts = x.get(":, 100:" + (100 + k)).expandDims(1).duplicate();
        assertSameResult(x, starts, 1e-4, 1); // beyond the means, rounding tells which are slow
    }

    /** Features of an encoder are often a view in another order: channels first in memory. */
    @Test
    void orderInMemoryDoesNotMatter(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 2, 9, 50).swapAxes(1, 2);
        NDArray starts = Tensors.normal(manager, 2, 2, 3, 9, 4).swapAxes(2, 3);
        assertSameResult(x, starts, 1e-4);
    }

    /** Few features and many, starts for fewer threads and for all, elements for several. */
    @ParameterizedTest
    @CsvSource({"3, 700, 8, 7", "1, 3000, 70, 1", "1, 3000, 70, 3", "2, 1700, 65, 5"})
    void numberOfThreadsDoesNotMatter(int b, int n, int f, int r, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x = Tensors.normal(manager, 1, b, n, f);
        NDArray starts = Tensors.normal(manager, 2, b, r, 5, f);
        LloydCourse course = new LloydCourse(new double[b], 300, 1.7);
        for (Lloyd lloyd : new Lloyd[] {ThreadedLloyd::run, BoundedLloyd::run}) {
            Supplier<Lloyd.Result> run = () -> lloyd.run(x, starts, course);
            Lloyd.Result one = EngineThreads.with(1, run);
            Lloyd.Result many = EngineThreads.with(5, run);
            Tensors.assertSame("labels", one.labels, many.labels);
            Tensors.assertSame("centers", one.centers, many.centers);
            assertArrayEquals(one.iterations, many.iterations);
            assertArrayEquals(one.gains, many.gains);
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "4", "9"})
    void numberOfThreadsDoesNotMatterForStarts(int starts, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x = Tensors.normal(manager, 1, 2, 1700, 11);
        NoGraph.during(
                () -> {
                    CentredFeatures input = CentredFeatures.of("test", "centers", x, null, false);
                    Supplier<NDArray> draw =
                            () -> new InitialCenters(input).loops(13, starts, new UniformDraws(5L));
                    Tensors.assertSame(
                            "rows", EngineThreads.with(1, draw), EngineThreads.with(4, draw));
                    return x;
                });
    }
}
