package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Centres that go beyond the means of their features: {@link KMeansOptions#relaxation}. */
@ExtendWith(OnDevice.class)
class LloydCourseTest {

    private static final int CLUSTERS = 8;

    /** Without groups k-means takes many iterations. */
    private static NDArray slow(NDManager manager, DataType type, int size) {
        return Tensors.normal(manager, 21, type, 2, size, 6);
    }

    private static KMeansOptions.Builder options(double relaxation) {
        return KMeansOptions.builder()
                .optTol(0)
                .optMaxIter(2000)
                .optSeed(3)
                .optRelaxation(relaxation);
    }

    /** Few features, many, and operations on a batch. */
    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(DataType.FLOAT32, 3000),
                Arguments.of(DataType.FLOAT32, BoundedLloyd.MANY + 100),
                Arguments.of(DataType.FLOAT64, 3000));
    }

    /** The definition, number by number. */
    private static final class Plain {
        final double[][] x;
        double[][] centers;
        int[] labels = new int[0];
        int iterations;

        Plain(double[] features, double[] from, int dim) {
            x = rows(features, dim);
            centers = rows(from, dim);
        }

        private static double[][] rows(double[] numbers, int dim) {
            double[][] rows = new double[numbers.length / dim][];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = Arrays.copyOfRange(numbers, i * dim, (i + 1) * dim);
            }
            return rows;
        }

        private static double square(double[] a, double[] b) {
            double sum = 0;
            for (int f = 0; f < a.length; f++) {
                sum += (a[f] - b[f]) * (a[f] - b[f]);
            }
            return sum;
        }

        private int[] nearest() {
            return Arrays.stream(x)
                    .mapToInt(
                            point -> {
                                int best = 0;
                                for (int k = 1; k < centers.length; k++) {
                                    if (square(point, centers[k]) < square(point, centers[best])) {
                                        best = k;
                                    }
                                }
                                return best;
                            })
                    .toArray();
        }

        private double[][] means() {
            double[][] means = new double[centers.length][centers[0].length];
            int[] count = new int[centers.length];
            for (int j = 0; j < x.length; j++) {
                count[labels[j]]++;
                for (int f = 0; f < x[j].length; f++) {
                    means[labels[j]][f] += x[j][f];
                }
            }
            for (int k = 0; k < means.length; k++) {
                for (int f = 0; f < means[k].length; f++) {
                    means[k][f] /= count[k];
                }
            }
            return means;
        }

        Plain run(double relaxation, int maxIter) {
            double before = Double.POSITIVE_INFINITY;
            boolean atMeans = true;
            for (iterations = 1; ; iterations++) {
                int[] found = nearest();
                boolean same = Arrays.equals(found, labels);
                labels = found;
                double[][] means = means();
                double movement = 0;
                for (int k = 0; k < means.length; k++) {
                    movement += square(means[k], centers[k]);
                }
                boolean last = iterations == maxIter || (same && atMeans);
                atMeans = last || same || relaxation == 1 || movement <= 0.5 * before;
                for (int k = 0; k < means.length; k++) {
                    for (int f = 0; f < means[k].length; f++) {
                        double way = means[k][f] - centers[k][f];
                        centers[k][f] = atMeans ? means[k][f] : centers[k][f] + relaxation * way;
                    }
                }
                before = movement;
                if (last) {
                    labels = nearest();
                    return this;
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1.7, 2000", "1.3, 2000", "1.9, 2000", "1.7, 7", "1.7, 1", "1, 2000"})
    void isWhatTheDefinitionSays(double relaxation, int maxIter, NDManager manager) {
        NDArray x = slow(manager, DataType.FLOAT64, 300);
        NDArray starts = x.get(":, :" + CLUSTERS);
        KMeans kMeans = new KMeans(CLUSTERS, options(relaxation).optMaxIter(maxIter).build());
        KMeansClustering found = kMeans.cluster(x, starts);
        for (int image = 0; image < 2; image++) {
            Plain plain =
                    new Plain(doubles(x.get(image)), doubles(starts.get(image)), 6)
                            .run(relaxation, maxIter);
            assertEquals(plain.iterations, found.iterations().getLong(image));
            assertArrayEquals(
                    Arrays.stream(plain.centers).flatMapToDouble(Arrays::stream).toArray(),
                    doubles(found.centers().get(image)),
                    1e-6);
            assertArrayEquals(
                    Arrays.stream(plain.labels).asLongStream().toArray(),
                    found.labels().get(image).toLongArray());
        }
    }

    /** It ends where Lloyd's iteration would stay, in fewer iterations and about as low. */
    @ParameterizedTest
    @MethodSource("ways")
    void endsSoonerWhereNothingMoves(DataType type, int size, NDManager manager) {
        NDArray x = slow(manager, type, size);
        KMeansClustering with = new KMeans(CLUSTERS, options(1.7).build()).cluster(x, null);
        KMeansClustering without = new KMeans(CLUSTERS, options(1).build()).cluster(x, null);
        KMeansClustering again =
                new KMeans(CLUSTERS, options(1).build()).cluster(x, with.centers());
        Tensors.assertSame("labels", with.labels(), again.labels());
        assertTrue(Arrays.stream(again.iterations().toLongArray()).allMatch(t -> t <= 2));
        NDArray starts = x.get(":, :" + CLUSTERS);
        long fewer = total(new KMeans(CLUSTERS, options(1.7).build()).cluster(x, starts));
        long more = total(new KMeans(CLUSTERS, options(1).build()).cluster(x, starts));
        assertTrue(fewer < 0.8 * more, fewer + " of " + more);
        for (int b = 0; b < 2; b++) {
            assertEquals(1, doubles(with.inertia())[b] / doubles(without.inertia())[b], 0.01);
        }
    }

    private static long total(KMeansClustering found) {
        return Arrays.stream(found.iterations().toLongArray()).sum();
    }

    /** A start that ends because little moves ends at means, as one that may not go on. */
    @ParameterizedTest
    @MethodSource("ways")
    void endsAtMeansWhereLittleMoves(DataType type, int size, NDManager manager) {
        NDArray x = slow(manager, type, size).get(":1");
        NDArray starts = x.get(":, :" + CLUSTERS);
        KMeans little = new KMeans(CLUSTERS, options(1.9).optTol(1e-3).build());
        KMeansClustering found = little.cluster(x, starts);
        int taken = (int) found.iterations().getLong(0);
        KMeans stopped = new KMeans(CLUSTERS, options(1.9).optMaxIter(taken).build());
        KMeansClustering same = stopped.cluster(x, starts);
        assertEquals(taken, same.iterations().getLong(0));
        Tensors.assertSame("centers", same.centers(), found.centers());
        Tensors.assertSame("labels", same.labels(), found.labels());
    }

    /** The sum of squares falls in every iteration, and the centres that come back are means. */
    @ParameterizedTest
    @MethodSource("ways")
    void noIterationRaisesTheInertia(DataType type, int size, NDManager manager) {
        NDArray x = slow(manager, type, size).get(":1");
        NDArray starts = x.get(":, :" + CLUSTERS);
        double before = Double.POSITIVE_INFINITY;
        for (int maxIter = 1; maxIter < 40; maxIter++) {
            KMeans kMeans = new KMeans(CLUSTERS, options(1.9).optMaxIter(maxIter).build());
            double inertia = doubles(kMeans.cluster(x, starts).inertia())[0];
            assertTrue(inertia < before * (1 + 1e-7), inertia + " after " + before);
            before = inertia;
        }
    }

    /** Clusters that lose all their features in between, and images that end at other times. */
    @ParameterizedTest
    @ValueSource(doubles = {1.5, 1.9})
    void severalImagesAreAsEachByItself(double relaxation, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x = Tensors.normal(manager, 5, DataType.FLOAT64, 5, 60, 3);
        NDArray starts = Tensors.normal(manager, 6, DataType.FLOAT64, 5, 6, 3).mul(4);
        KMeans kMeans = new KMeans(6, options(relaxation).build());
        KMeansClustering together = kMeans.cluster(x, starts);
        for (int b = 0; b < 5; b++) {
            String part = b + ":" + (b + 1);
            KMeansClustering alone = kMeans.cluster(x.get(part), starts.get(part));
            Tensors.assertSame("labels", alone.labels(), together.labels().get(part));
            assertArrayEquals(
                    alone.iterations().toLongArray(),
                    together.iterations().get(part).toLongArray());
        }
    }

    @Test
    void refusesWhatItCannotTake() {
        for (double relaxation : new double[] {0.99, 2, -1, Double.NaN, 1e9}) {
            assertRefused(
                    "KMeansOptions: relaxation must be at least 1 and below 2, got " + relaxation,
                    () -> KMeansOptions.builder().optRelaxation(relaxation).build());
        }
        assertRefused(
                "KMeans: relaxation cannot be written in TorchScript",
                () -> new KMeans(5, options(1.5).build()).script());
    }
}
