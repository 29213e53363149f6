package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link CenterHistory} beside all centres of all iterations. */
class CenterHistoryTest {

    private static final float ABOVE = 1 + 1e-6f;

    private static final int SIZE = 5;

    /** Every bound holds in every iteration, until no more can be counted, and once again. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void boundsHoldForAllIterations(int clusters) {
        Random random = new Random(clusters);
        CenterHistory history = new CenterHistory(clusters, ABOVE);
        for (int run = 0; run < 2; run++) {
            List<float[][]> all = new ArrayList<>();
            float[][] centers = new float[clusters][SIZE];
            history.begin(centers);
            all.add(copy(centers));
            while (!history.isFull()) {
                walk(centers, random);
                history.next(centers);
                all.add(copy(centers));
                assertEquals(all.size() - 1, history.now());
                for (int t = 0; t < all.size(); t++) {
                    assertBounds(history, all.get(t), centers, t);
                }
            }
            assertEquals(CenterHistory.LONGEST, all.size());
        }
    }

    private static void assertBounds(
            CenterHistory history, float[][] before, float[][] now, int t) {
        int clusters = now.length;
        for (int k = 0; k < clusters; k++) {
            int at = t * clusters + k;
            double most = 0;
            for (int l = 0; l < clusters; l++) {
                most = l == k ? most : Math.max(most, distance(before[l], now[l]));
            }
            double own = distance(before[k], now[k]);
            assertTrue(history.moved[at] >= own, () -> "moved since " + t);
            assertTrue(history.closer[at] >= own + most, () -> "closer since " + t);
        }
    }

    /** Centres that went and came back have hardly moved, which the way that they took hides. */
    @ParameterizedTest
    @ValueSource(ints = {3, 20})
    void whatWasRecentIsKnownExactly(int steps) {
        CenterHistory history = new CenterHistory(2, ABOVE);
        float[][] centers = new float[2][SIZE];
        history.begin(centers);
        for (int t = 1; t <= steps; t++) {
            centers[1][0] = t % 2;
            history.next(centers);
        }
        for (int t = 0; t <= steps; t++) {
            double own = Math.abs(t % 2 - steps % 2);
            assertEquals(own, history.moved[2 * t + 1], 1e-5);
            assertEquals(own, history.closer[2 * t], 1e-5); // the first centre's next is the second
            assertEquals(0, history.moved[2 * t]);
        }
        assertFalse(history.isFull());
    }

    private static void walk(float[][] centers, Random random) {
        for (float[] center : centers) {
            for (int f = 0; f < SIZE; f++) {
                center[f] += (float) random.nextGaussian();
            }
        }
    }

    private static float[][] copy(float[][] centers) {
        float[][] copy = new float[centers.length][];
        for (int k = 0; k < copy.length; k++) {
            copy[k] = centers[k].clone();
        }
        return copy;
    }

    private static double distance(float[] x, float[] y) {
        return Math.sqrt(LloydStart.squaredDistance(x, y));
    }
}
