package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** {@link BoundedLloyd} beside plain loops in float64. */
@ExtendWith(OnDevice.class)
class BoundedLloydTest {

    private final int before = JniUtils.getNumThreads();

    @AfterEach
    void restore() {
        JniUtils.setNumThreads(before);
    }

    /**
     * Sizes around those of tiles and blocks, elements in pairs and not, features in the order of
     * memory and not: after however many iterations a label is the nearest centre's, and centres
     * are the means of labels that have settled.
     */
    @ParameterizedTest
    @CsvSource({
        "1, 1023, 4, 1, 1, false",
        "1, 1025, 5, 2, 3, true",
        "2, 4097, 63, 3, 2, true",
        "2, 8191, 4, 7, 1, true",
        "1, 8193, 65, 3, 2, false",
        "2, 9217, 5, 17, 3, true",
        "1, 4095, 9, 257, 1, false",
        "1, 257, 6, 257, 2, true"
    })
    void labelsAreThoseOfPlainFloat64(
            int b, int n, int f, int k, int r, boolean turned, NDManager manager) {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        NDArray x =
                turned
                        ? Tensors.normal(manager, 1, b, f, n).swapAxes(1, 2)
                        : Tensors.normal(manager, 1, b, n, f);
        NDArray starts = x.get(":, :" + k).expandDims(1).repeat(1, r);
        starts = starts.add(Tensors.normal(manager, 2, b, r, k, f).mul(0.1f));
        for (int threads : new int[] {1, 2, 3}) {
            for (int maxIter : new int[] {1, 4, 300}) {
                JniUtils.setNumThreads(threads);
                LloydCourse course = new LloydCourse(new double[b], maxIter, 1);
                Lloyd.Result found = BoundedLloyd.run(x, starts, course);
                for (int start = 0; start < b * r; start++) {
                    boolean settled = found.iterations[start] < maxIter;
                    check(x.get(start / r), found, start, k, settled);
                }
            }
        }
    }

    private static void check(
            NDArray image, Lloyd.Result found, int start, int k, boolean settled) {
        float[] x = image.toFloatArray();
        float[] c = found.centers.get(start).toFloatArray();
        float[] labels = found.labels.get(start).toFloatArray();
        int f = c.length / k;
        double[] means = new double[c.length];
        int[] count = new int[k];
        double gain = 0;
        for (int j = 0; j < labels.length; j++) {
            int own = (int) labels[j];
            count[own]++;
            double[] distance = new double[k];
            for (int at = 0; at < c.length; at++) {
                double v = x[j * f + at % f];
                distance[at / f] += (v - c[at]) * (v - c[at]);
                if (at / f == own) {
                    means[at] += v;
                    gain += (v - c[at] / 2.0) * c[at];
                }
            }
            double least = Arrays.stream(distance).min().orElseThrow();
            // Some may be as near as rounding in float32 can tell.
            assertTrue(distance[own] <= least * (1 + 1e-5), () -> distance[own] + ", " + least);
        }
        assertEquals(gain, found.gains[start], 1e-6 * (1 + Math.abs(gain)));
        for (int at = 0; settled && at < c.length; at++) {
            assertEquals(means[at] / count[at / f], c[at], 1e-6 * (1 + Math.abs(c[at])));
        }
    }

    /** At the same time, each on several threads, and each on its own. */
    @Test
    void callersDoNotDisturbEachOther(NDManager manager)
            throws InterruptedException, ExecutionException {
        Assumptions.assumeFalse(manager.getDevice().isGpu());
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            for (int threads : new int[] {1, 3}) {
                JniUtils.setNumThreads(threads);
                double[][] alone = new double[4][];
                for (int i = 0; i < alone.length; i++) {
                    alone[i] = clustered(manager, i, threads);
                }
                List<Callable<double[]>> calls =
                        Stream.iterate(0, i -> i + 1)
                                .limit(12)
                                .<Callable<double[]>>map(
                                        i -> () -> clustered(manager, i % alone.length, threads))
                                .toList();
                List<Future<double[]>> found = pool.invokeAll(calls);
                for (int i = 0; i < found.size(); i++) {
                    assertArrayEquals(alone[i % alone.length], found.get(i).get());
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static double[] clustered(NDManager owner, int seed, int threads) {
        JniUtils.setNumThreads(threads);
        try (NDManager manager = owner.newSubManager()) {
            NDArray x = Tensors.normal(manager, seed, 1, 8200 + seed, 7 + seed);
            KMeansOptions options = KMeansOptions.builder().optSeed(seed).optNInit(3).build();
            KMeansClustering found = new KMeans(5, options).cluster(x, null);
            return Tensors.doubles(found.centers());
        }
    }
}
