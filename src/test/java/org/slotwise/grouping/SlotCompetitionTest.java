package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** How slots share features, where it is at its limits. */
class SlotCompetitionTest {

    private static final float[][] LOGITS = {{1, 90, -3, 0}, {2, -90, -3, 0.5f}, {-1, 0, -3, 700}};

    private static float[][] shares(float[][] logits, boolean[] isEmpty) {
        SlotCompetition competition = new SlotCompetition(logits.length, logits[0].length);
        competition.share(logits, isEmpty);
        float[] all = new float[1 + logits.length * logits[0].length];
        competition.write(all, 1);
        float[][] shares = new float[logits.length][];
        for (int i = 0; i < logits.length; i++) {
            int n = logits[0].length;
            shares[i] = Arrays.copyOfRange(all, 1 + i * n, 1 + (i + 1) * n);
        }
        return shares;
    }

    private static double softmax(float[][] logits, boolean[] isEmpty, int slot, int feature) {
        double highest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.length; i++) {
            highest = isEmpty[i] ? highest : Math.max(highest, logits[i][feature]);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            sum += isEmpty[i] ? 0 : Math.exp(logits[i][feature] - highest);
        }
        return isEmpty[slot] ? 0 : Math.exp(logits[slot][feature] - highest) / sum;
    }

    /** An empty slot whose logit is far above the others' takes nothing away from them. */
    @Test
    void softmaxOverThoseThatAreNotEmpty() {
        for (boolean[] isEmpty :
                new boolean[][] {
                    {false, false, false}, {false, false, true}, {true, false, true}
                }) {
            float[][] shares = shares(LOGITS, isEmpty);
            for (int i = 0; i < 3; i++) {
                for (int j = 0; j < 4; j++) {
                    assertEquals(softmax(LOGITS, isEmpty, i, j), shares[i][j], 1e-7);
                }
            }
        }
    }

    @Test
    void nobodyGetsAnythingOfAllEmpty() {
        for (float[] shares : shares(LOGITS, new boolean[] {true, true, true})) {
            assertArrayEquals(new float[4], shares);
        }
    }

    /** NaN stays with its feature. */
    @Test
    void nanIsOfItsFeatureAlone() {
        float[][] logits = {{Float.NaN, 1}, {0, 1}};
        for (float[] shares : shares(logits, new boolean[2])) {
            assertTrue(Float.isNaN(shares[0]));
            assertEquals(0.5f, shares[1]);
        }
    }

    /** Sums whose inverse float32 does not hold, below zero too, and a slot without any. */
    @Test
    void weightsThatSumToOne() {
        float[][] weights = {{1e-40f, 3e-40f}, {0, 0}, {3, 1}, {-2e-40f, -2e-40f}, {-1, -3}};
        float[][] expected = {{0.25f, 0.75f}, {0, 0}, {0.75f, 0.25f}, {0.5f, 0.5f}, {0.25f, 0.75f}};
        double[] totals = new double[weights.length];
        for (int i = 0; i < totals.length; i++) {
            totals[i] = (double) weights[i][0] + weights[i][1];
        }
        new SlotCompetition(weights.length, 2).normalize(weights, totals);
        for (int i = 0; i < totals.length; i++) {
            assertArrayEquals(expected[i], weights[i], 1e-5f, "slot " + i);
        }
    }

    @Test
    void weightsAndTheirSums() {
        SlotCompetition competition = new SlotCompetition(2, 3);
        competition.take(new float[] {9, 0.1f, 0.2f, 0.3f, 0, 1, 2}, 1);
        float[][] weights = new float[2][3];
        double[] totals = new double[2];
        competition.weigh(0.5f, weights, totals);
        assertArrayEquals(new float[] {0.6f, 0.7f, 0.8f}, weights[0], 1e-7f);
        assertArrayEquals(new float[] {0.5f, 1.5f, 2.5f}, weights[1], 1e-7f);
        assertArrayEquals(new double[] {2.1, 4.5}, totals, 1e-6);
    }
}
