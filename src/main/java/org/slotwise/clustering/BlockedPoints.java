package org.slotwise.clustering;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Many features both ways: by row for a single one, and in blocks by column for loops over the
 * features of a block.
 */
final class BlockedPoints {

    /** How many features a block has: a column of distances is 1 KB. */
    static final int BLOCK = 256;

    /** How many rows or columns a loop takes at once. */
    private static final int STEP = 4;

    private static final int LANES = 8;

    /** As many rows as columns are written of at once: a cache line of each. */
    private static final int TILE = 16;

    final int size; // N

    final int featureSize; // F

    /** (N, F). */
    final float[] rows;

    private BlockedPoints(int size, int featureSize) {
        this.size = size;
        this.featureSize = featureSize;
        rows = new float[Math.multiplyExact(size, featureSize)];
    }

    static BlockedPoints read(FloatBuffer from, int first, int size, int featureSize) {
        BlockedPoints points = new BlockedPoints(size, featureSize);
        from.get(first * featureSize, points.rows);
        return points;
    }

    int blocks() {
        return (size + BLOCK - 1) / BLOCK;
    }

    /** Where a block ends. */
    int end(int block) {
        return Math.min(size, (block + 1) * BLOCK);
    }

    /** A block by column: (F)(BLOCK); what the last block lacks is left as it is. */
    void columns(int block, float[][] columns) {
        int start = block * BLOCK;
        int n = end(block) - start;
        for (int from = 0; from < n; from += TILE) {
            int to = Math.min(n, from + TILE);
            for (int f = 0; f < featureSize; f++) {
                float[] column = columns[f];
                int at = (start + from) * featureSize + f;
                for (int i = from; i < to; i++) {
                    column[i] = rows[at];
                    at += featureSize;
                }
            }
        }
    }

    /** ||x - c||² of all features of a block, given by column. */
    static void squaredDistances(float[][] x, float[] c, float[] squares) {
        Arrays.fill(squares, 0);
        int f = 0;
        for (; f + STEP <= c.length; f += STEP) {
            VectorLoops.addSquares(
                    squares, x[f], x[f + 1], x[f + 2], x[f + 3], c[f], c[f + 1], c[f + 2],
                    c[f + 3]);
        }
        for (; f < c.length; f++) {
            VectorLoops.addSquares(squares, x[f], c[f]);
        }
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
