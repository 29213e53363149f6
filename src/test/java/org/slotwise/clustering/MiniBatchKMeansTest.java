package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class MiniBatchKMeansTest {

    /** Beside scikit-learn, batch after batch: {@code resources/kmeans/make_mini_batches.py}. */
    @Test
    void fromGivenCentresItIsScikitLearns(NDManager manager) throws IOException {
        Path file = Path.of("src", "test", "resources", "kmeans", "mini_batches.npz");
        try (StateDict arrays = StateDict.read(file)) {
            MiniBatchKMeans kMeans = MiniBatchKMeans.from(arrays.get("initial"));
            for (int i = 0; i < 3; i++) {
                kMeans.add(arrays.get("batch" + i));
                double[] expected = Tensors.doubles(arrays.get("centers" + i));
                assertArrayEquals(expected, Tensors.doubles(kMeans.centers(manager)), 1e-12);
                double[] counts = Tensors.doubles(arrays.get("counts" + i));
                assertArrayEquals(
                        counts, Arrays.stream(kMeans.counts()).asDoubleStream().toArray());
            }
            NDArray labels = kMeans.labels(arrays.get("batch0"));
            assertArrayEquals(arrays.get("labels").toLongArray(), labels.toLongArray());
        }
    }

    /** In batches it comes near to what it is at once, and memory does not grow. */
    @Test
    void manyBatchesFindTheGroups(NDManager manager) {
        NDArray means = Tensors.normal(manager, 1, 6, 8).mul(4);
        MiniBatchKMeans kMeans =
                new MiniBatchKMeans(6, KMeansOptions.builder().optNInit(3).optSeed(0).build());
        for (int i = 0; i < 20; i++) {
            NDArray batch = means.repeat(0, 30).add(Tensors.normal(manager, 2 + i, 180, 8));
            int before = manager.getManagedArrays().size();
            kMeans.add(batch);
            assertEquals(before, manager.getManagedArrays().size());
        }
        assertEquals(3600, Arrays.stream(kMeans.counts()).sum());
        NDArray centers = kMeans.centers(manager).toType(DataType.FLOAT32, false);
        for (int g = 0; g < 6; g++) {
            NDArray offsets = centers.sub(means.get(g)).square().sum(new int[] {1});
            assertTrue(offsets.min().getFloat() < 0.1f);
        }
        assertEquals(1, kMeans.labels(means.repeat(0, 5).get("0:5")).unique().head().size());
    }

    /** Far from 0, and one centre far from the others, as centres come out of such features. */
    @Test
    void featuresFarFromZeroKeepTheirDigits(NDManager manager) {
        NDArray c = Tensors.normal(manager, 1, 6, 8);
        NDArray x = Tensors.normal(manager, 2, 50, 8);
        NDArray away = manager.create(new float[] {4096, 8192, -4096, 0, 2048, 0, 0, 8192});
        NDArray offset = x.mul(64).round().div(64).add(away); // float32 has all digits of it
        NDArray centers = c.mul(64).round().div(64).add(away);
        NDArray rounded = x.mul(64).round().div(64);
        long[] expected = MiniBatchKMeans.from(centers.sub(away)).labels(rounded).toLongArray();
        assertArrayEquals(expected, MiniBatchKMeans.from(centers).labels(offset).toLongArray());
        NDArray far = manager.create(new float[] {1e9f, 0, 0, 0, 0, 0, 0, 0}, new Shape(1, 8));
        MiniBatchKMeans withFar = MiniBatchKMeans.from(centers.concat(far, 0));
        assertArrayEquals(expected, withFar.labels(offset).toLongArray());
        // Groups far from each other: no origin is near to all.
        NDArray groups = rounded.concat(offset, 0);
        MiniBatchKMeans both = MiniBatchKMeans.from(centers.sub(away).concat(centers, 0));
        long[] labels = both.labels(groups).toLongArray();
        for (int j = 0; j < 50; j++) {
            assertEquals(expected[j], labels[j]);
            assertEquals(6 + expected[j], labels[50 + j]);
        }
    }

    /** The first batch is clustered by k-means to its end. */
    @Test
    void theFirstBatchIsKMeans(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 50, 3);
        KMeansOptions options = KMeansOptions.builder().optSeed(4).build();
        NDArray whole = new KMeans(5, options).cluster(x.expandDims(0), null).centers();
        NDArray centers = new MiniBatchKMeans(5, options).add(x).centers(manager);
        assertClose("centers", whole.squeeze(0), centers.toType(DataType.FLOAT32, false), 1e-6);
    }

    @Test
    void halfPrecisionAndAClusterThatNothingComesTo(NDManager manager) {
        NDArray centers = manager.create(new float[] {0, 100, 5}, new Shape(3, 1));
        MiniBatchKMeans kMeans = MiniBatchKMeans.from(centers);
        kMeans.add(
                manager.create(new float[] {1, 3, 6}, new Shape(3, 1))
                        .toType(DataType.FLOAT16, false));
        // 2.5 and less are nearer to 0
        assertArrayEquals(new long[] {1, 0, 2}, kMeans.counts());
        double[] found = kMeans.centers(manager).toDoubleArray();
        assertArrayEquals(new double[] {1, 100, 4.5}, found, 1e-12);
    }

    @Test
    void refusesWhatItCannotTake(NDManager manager) {
        KMeansOptions options = KMeansOptions.builder().build();
        MiniBatchKMeans kMeans = new MiniBatchKMeans(3, options);
        assertThrows(IllegalStateException.class, () -> kMeans.centers(manager));
        NDArray x = Tensors.normal(manager, 1, 4, 2);
        assertThrows(IllegalStateException.class, () -> kMeans.labels(x));
        assertRefused(
                "MiniBatchKMeans: features must be at least as many as clusters, N >= 3, got N = 2",
                () -> kMeans.add(x.get("0:2")));
        String finite = " must be finite, and so must their squares in float64";
        NDArray bad = x.duplicate();
        bad.set(new NDIndex("1, 1"), Float.NaN);
        // The first batch, which k-means clusters as one image, is told of as the others.
        assertRefused("MiniBatchKMeans: features" + finite, () -> kMeans.add(bad));
        kMeans.add(x);
        assertRefused(
                "MiniBatchKMeans: features must be (..., 2), got (4, 1)",
                () -> kMeans.add(x.get(":, 0:1")));
        double[] before = kMeans.centers(manager).toDoubleArray();
        assertRefused("MiniBatchKMeans: features" + finite, () -> kMeans.add(bad));
        NDArray huge = x.toType(DataType.FLOAT64, true).mul(1e200);
        assertRefused("MiniBatchKMeans: features" + finite, () -> kMeans.add(huge));
        assertArrayEquals(before, kMeans.centers(manager).toDoubleArray());
        assertRefused("MiniBatchKMeans: centers" + finite, () -> MiniBatchKMeans.from(bad));
        assertRefused(
                "MiniBatchKMeans: features must be (..., 2), got (4, 1)",
                () -> kMeans.labels(x.get(":, 0:1")));
        String floating = " must be float32, float64 or float16, got int32";
        NDArray whole = x.toType(DataType.INT32, true);
        assertRefused("MiniBatchKMeans: features" + floating, () -> kMeans.add(whole));
        assertRefused("MiniBatchKMeans: features" + floating, () -> kMeans.labels(whole));
        assertRefused("MiniBatchKMeans: centers" + floating, () -> MiniBatchKMeans.from(whole));
        assertRefused(
                "MiniBatchKMeans: clusters must be at least 1, got 0",
                () -> new MiniBatchKMeans(0, options));
    }
}
