package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.EngineThreads;
import org.slotwise.testing.OnDevice;

/** Sums that follow features give the means that are made anew, clusters without features too. */
@ExtendWith(OnDevice.class)
class ClusterSumsTest {

    private final Random random = new Random(4);

    private float[][] features(int count, int size) {
        float[][] features = new float[count][size];
        for (float[] feature : features) {
            for (int f = 0; f < size; f++) {
                feature[f] = (float) random.nextGaussian();
            }
        }
        return features;
    }

    private static float[] rows(float[][] features) {
        int size = features[0].length;
        float[] rows = new float[features.length * size];
        for (int j = 0; j < features.length; j++) {
            System.arraycopy(features[j], 0, rows, j * size, size);
        }
        return rows;
    }

    private static float[][] anew(float[][] features, int[] labels, int clusters) {
        float[][] means = new float[clusters][features[0].length];
        ClusterMeans all = new ClusterMeans(labels.length, clusters);
        all.sort(labels);
        all.averageAll(features, means);
        return means;
    }

    private static void assertMeans(float[][] expected, float[][] found) {
        for (int k = 0; k < expected.length; k++) {
            assertArrayEquals(expected[k], found[k], 1e-4f, "cluster " + k);
        }
    }

    /** The cluster without features gets the mean of the largest before it, or the sum after it. */
    @ParameterizedTest
    @CsvSource({
        "0 1 1 2 3 3 3, 4",
        "0 0 0 1 3, 5",
        "1 1 1 2 4, 6",
        "3 3 1, 5",
        "2 2 4 4, 6",
        "0, 3",
        "2, 3"
    })
    void meansAndTheRulesForEmptyOnes(String labels, int clusters) {
        int[] all = Arrays.stream(labels.split(" ", -1)).mapToInt(Integer::parseInt).toArray();
        float[][] features = features(all.length, 3);
        ClusterSums sums = new ClusterSums(clusters, 3);
        sums.addAll(all, rows(features));
        float[][] means = new float[clusters][3];
        sums.means(means);
        assertMeans(anew(features, all, clusters), means);
    }

    /** Elements among threads: as many features, and elements, as several threads share. */
    @ParameterizedTest
    @CsvSource({"1023, 100, 3", "1024, 100, 3", "3000, 64, 4", "3000, 31, 4", "2000, 100, 1"})
    void elementsAmongThreads(int count, int size, int threads) {
        float[][] features = features(count, size);
        int[] labels = random.ints(count, 0, 7).toArray();
        ClusterSums sums = new ClusterSums(8, size);
        float[][] means = new float[8][size];
        EngineThreads.with(
                threads,
                () -> {
                    sums.addAll(labels, rows(features));
                    return sums;
                });
        sums.means(means);
        assertMeans(anew(features, labels, 8), means);
    }

    @Test
    void featuresThatMove() {
        float[][] features = features(40, 5);
        float[] rows = rows(features);
        int[] labels = random.ints(40, 0, 4).toArray();
        ClusterSums sums = new ClusterSums(4, 5);
        sums.addAll(labels, rows);
        for (int i = 0; i < 30; i++) {
            int j = random.nextInt(40);
            int to = random.nextInt(4);
            sums.moveOne(labels[j], to);
            sums.move(labels[j], to, rows, j, 0, 2);
            sums.move(labels[j], to, rows, j, 2, 5);
            labels[j] = to;
        }
        float[][] means = new float[4][5];
        sums.means(means);
        assertMeans(anew(features, labels, 4), means);
        assertEquals(40, Arrays.stream(sums.count).sum());
    }
}
