package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bounds by scores in float32 hold for the distances themselves, also where centres nearly tie. */
class CenterScoresTest {

    private static final int VECTORS = 400;
    private static final int CENTERS = 6;
    private static final float BELOW = 1 - 1e-6f;
    private static final float ABOVE = 1 + 1e-6f;

    /**
     * How far centres are apart, beside their length; what share of vectors is told for sure;
     * vectors near the centres, or short beside them.
     */
    @ParameterizedTest
    @CsvSource({
        "64, 1, 1, 0.9, false",
        "64, 1e-3, 1, 0, false",
        "64, 1e-4, 100, 0, false",
        "3, 1e-6, 1, 0, false",
        "3, 1, 1e4, 0.9, false",
        "200, 1e-5, 1, 0, false",
        "1, 1e-7, 1, 0, false",
        "8, 0, 1, 0, false",
        "8, 1e-6, 1, 0, true",
        "64, 1, 1, 0, true"
    })
    void boundsHold(int size, float apart, float scale, double told, boolean nearZero) {
        Random random = new Random(size);
        float[] middle = row(random, size, scale);
        float[][] centers = new float[CENTERS][];
        for (int k = 0; k < CENTERS; k++) {
            centers[k] = sum(middle, row(random, size, apart * scale));
        }
        float[][] vectors = new float[VECTORS][];
        float[] norm = new float[VECTORS];
        float[] least = new float[VECTORS];
        float[] second = new float[VECTORS];
        int[] label = new int[VECTORS];
        CenterScores scores = new CenterScores(norm, size, CENTERS);
        scores.take(centers);
        for (int j = 0; j < VECTORS; j++) {
            float[] some = row(random, size, 0.3f * apart * scale);
            vectors[j] = nearZero ? row(random, size, 1e-4f) : sum(centers[j % CENTERS], some);
            norm[j] = (float) Math.sqrt(squaredDistance(vectors[j], new float[size]));
            score(scores, centers, vectors[j], j, least, second, label);
        }
        float[] nearest = new float[VECTORS];
        float[] gap = new float[VECTORS];
        scores.bound(least, second, norm, nearest, gap, BELOW, ABOVE, VECTORS);
        int sure = 0;
        for (int j = 0; j < VECTORS; j++) {
            double own = Math.sqrt(squaredDistance(vectors[j], centers[label[j]]));
            double next = Double.POSITIVE_INFINITY;
            for (int k = 0; k < CENTERS; k++) {
                if (k != label[j]) {
                    next = Math.min(next, Math.sqrt(squaredDistance(vectors[j], centers[k])));
                }
            }
            assertTrue(own <= nearest[j], own + " is beyond " + nearest[j]);
            assertTrue(next - own >= gap[j], next - own + " is less than " + gap[j]);
            sure += gap[j] > 0 ? 1 : 0;
        }
        assertTrue(sure >= told * VECTORS, sure + " of " + VECTORS + " are told for sure");
    }

    /** As a product of float32 sums them, the least and the next. */
    private static void score(
            CenterScores scores,
            float[][] centers,
            float[] x,
            int j,
            float[] least,
            float[] second,
            int[] label) {
        float[] all = new float[centers.length];
        for (int k = 0; k < all.length; k++) {
            float product = 0;
            for (int f = 0; f < x.length; f++) {
                product += x[f] * centers[k][f];
            }
            all[k] = scores.halfSquares[k] - product;
            label[j] = all[k] < all[label[j]] ? k : label[j];
        }
        Arrays.sort(all);
        least[j] = all[0];
        second[j] = all[1];
    }

    private static float[] row(Random random, int size, float scale) {
        float[] row = new float[size];
        for (int f = 0; f < size; f++) {
            row[f] = scale * (float) random.nextGaussian();
        }
        return row;
    }

    private static float[] sum(float[] x, float[] y) {
        float[] sum = x.clone();
        for (int f = 0; f < x.length; f++) {
            sum[f] += y[f];
        }
        return sum;
    }

    private static double squaredDistance(float[] x, float[] y) {
        double sum = 0;
        for (int f = 0; f < x.length; f++) {
            double d = (double) x[f] - y[f];
            sum += d * d;
        }
        return sum;
    }
}
