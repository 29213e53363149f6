package org.slotwise.clustering;

import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/** Many features, by row, in blocks that are worked on one by one. */
final class BlockedPoints {

    /** How many features a block has: a number for each is 1 KB. */
    static final int BLOCK = 256;

    private static final int LANES = 8;

    final int size; // N

    final int featureSize; // F

    /** (N, F). */
    final float[] rows;

    private final int @Nullable [] order; // (N)

    private BlockedPoints(float[] rows, int featureSize, int @Nullable [] order) {
        this.rows = rows;
        this.featureSize = featureSize;
        this.order = order;
        size = rows.length / featureSize;
    }

    /** Reads features in their order. */
    static BlockedPoints read(FloatBuffer from, int first, int size, int featureSize) {
        float[] rows = new float[Math.multiplyExact(size, featureSize)];
        from.get(first * featureSize, rows);
        return new BlockedPoints(rows, featureSize, null);
    }

    /** The same features in another order. */
    BlockedPoints inOrder(int[] newOrder) {
        float[] sorted = new float[rows.length];
        for (int j = 0; j < size; j++) {
            for (int f = 0; f < featureSize; f++) {
                sorted[j * featureSize + f] = rows[newOrder[j] * featureSize + f];
            }
        }
        return new BlockedPoints(sorted, featureSize, newOrder);
    }

    /** Which feature a row was before it got into another order. */
    int origin(int row) {
        return order == null ? row : order[row];
    }

    int blocks() {
        return (size + BLOCK - 1) / BLOCK;
    }

    /** Where a block ends. */
    int end(int block) {
        return Math.min(size, (block + 1) * BLOCK);
    }

    /** ||x - c||² of one feature. */
    float squaredDistance(int feature, float[] c) {
        float[] x = rows;
        int at = feature * featureSize;
        int f = 0;
        float sum = 0;
        if (c.length >= LANES) {
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            float s4 = 0;
            float s5 = 0;
            float s6 = 0;
            float s7 = 0;
            for (; f + LANES <= c.length; f += LANES) {
                float d0 = x[at + f] - c[f];
                float d1 = x[at + f + 1] - c[f + 1];
                float d2 = x[at + f + 2] - c[f + 2];
                float d3 = x[at + f + 3] - c[f + 3];
                float d4 = x[at + f + 4] - c[f + 4];
                float d5 = x[at + f + 5] - c[f + 5];
                float d6 = x[at + f + 6] - c[f + 6];
                float d7 = x[at + f + 7] - c[f + 7];
                s0 = Math.fma(d0, d0, s0);
                s1 = Math.fma(d1, d1, s1);
                s2 = Math.fma(d2, d2, s2);
                s3 = Math.fma(d3, d3, s3);
                s4 = Math.fma(d4, d4, s4);
                s5 = Math.fma(d5, d5, s5);
                s6 = Math.fma(d6, d6, s6);
                s7 = Math.fma(d7, d7, s7);
            }
            sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
        }
        for (; f < c.length; f++) {
            float d = x[at + f] - c[f];
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    /** The same in float64. */
    double wideSquaredDistance(int feature, float[] c) {
        double sum = 0;
        for (int f = 0; f < c.length; f++) {
            double d = (double) rows[feature * featureSize + f] - c[f];
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }
}
