package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Starts of k-means on a sample of the features. */
@ExtendWith(OnDevice.class)
class StartSampleTest {

    private static KMeansOptions.Builder options(long seed) {
        return KMeansOptions.builder().optNInit(3).optSeed(seed).optTol(0);
    }

    @ParameterizedTest
    @CsvSource({"100, 1", "100, 7", "101, 50", "64, 64", "1000, 999"})
    void isOneOfEachPart(int size, int count, NDManager manager) {
        NDArray features = manager.zeros(new Shape(3, size, 2));
        for (Long seed : new Long[] {null, 1L, -5L}) {
            long[] rows = StartSample.rows(features, count, seed).toLongArray();
            assertEquals(3 * count, rows.length);
            for (int i = 0; i < rows.length; i++) {
                long part = i % count;
                long row = rows[i] - (long) (i / count) * size;
                assertTrue(row >= part * size / count && row < (part + 1) * size / count);
            }
        }
    }

    /** A start that ends with all features, where it could end without a sample. */
    @ParameterizedTest
    @CsvSource({"2000, 300, FLOAT32", "2000, 300, FLOAT64", "20000, 1000, FLOAT32"})
    void endsWhereAllFeaturesEnd(int size, int sample, DataType type, NDManager manager) {
        NDArray means = Tensors.normal(manager, 1, type, 1, 6, 5).mul(3);
        long each = size / 6;
        NDArray features =
                means.tile(new long[] {1, each, 1})
                        .add(Tensors.normal(manager, 2, type, 2, each * 6, 5));
        KMeans sampled = new KMeans(6, options(4).optSample(sample).build());
        KMeansClustering found = sampled.cluster(features, null);
        KMeansClustering whole = new KMeans(6, options(4).build()).cluster(features, null);
        for (int b = 0; b < 2; b++) {
            assertEquals(
                    1, doubles(found.inertia())[b] / doubles(whole.inertia())[b], 1e-4, "" + b);
        }
        KMeansClustering again =
                new KMeans(6, options(0).build()).cluster(features, found.centers());
        assertSame("labels", found.labels(), again.labels());
        assertArrayEquals(new long[] {2, 2}, again.iterations().toLongArray());
        assertSame("the same seed", found.labels(), sampled.cluster(features, null).labels());
        assertTrue(
                Arrays.stream(found.iterations().toLongArray()).sum()
                        < Arrays.stream(whole.iterations().toLongArray()).sum());
    }

    /** Features in a rhythm, as the slots of picture after picture are: every kind is in it. */
    @Test
    void missesNothingInARhythm(NDManager manager) {
        NDArray kinds = Tensors.normal(manager, 1, 1, 8, 3).mul(10);
        NDArray features =
                kinds.tile(new long[] {1, 500, 1}).add(Tensors.normal(manager, 2, 1, 4000, 3));
        double sampled =
                doubles(
                        new KMeans(8, options(1).optSample(500).build())
                                .cluster(features, null)
                                .inertia())[0];
        double whole =
                doubles(new KMeans(8, options(1).build()).cluster(features, null).inertia())[0];
        assertEquals(1, sampled / whole, 1e-4);
    }

    @Test
    void aSampleOfAllAndGivenCentresAreAsWithout(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, 2, 50, 4);
        KMeans without = new KMeans(4, options(2).build());
        for (int sample : new int[] {50, 1000}) {
            KMeans with = new KMeans(4, options(2).optSample(sample).build());
            assertSame(
                    "labels",
                    without.cluster(features, null).labels(),
                    with.cluster(features, null).labels());
        }
        NDArray centers = features.get(":, :4");
        assertSame(
                "labels",
                without.cluster(features, centers).labels(),
                new KMeans(4, options(2).optSample(5).build()).cluster(features, centers).labels());
    }

    @Test
    void aSampleHasAsManyAsClusters(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, 1, 50, 4);
        assertSame(
                "labels",
                new KMeans(7, options(2).optSample(7).build()).cluster(features, null).labels(),
                new KMeans(7, options(2).optSample(1).build()).cluster(features, null).labels());
    }

    @Test
    void leavesNothingBehind(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, 2, 500, 4);
        KMeans kMeans = new KMeans(4, options(2).optSample(100).build());
        kMeans.cluster(features, null);
        int before = manager.getManagedArrays().size();
        kMeans.cluster(features, null);
        assertEquals(before + 4, manager.getManagedArrays().size()); // the results
    }

    @Test
    void refusesWhatItCannotTake() {
        assertRefused(
                "KMeansOptions: sample must be at least 0, got -1",
                () -> KMeansOptions.builder().optSample(-1).build());
        assertRefused(
                "KMeans: starts on a sample cannot be written in TorchScript",
                () -> new KMeans(5, options(0).optSample(9).build()).script());
    }
}
