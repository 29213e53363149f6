package org.slotwise.clustering;

import java.util.Arrays;
import org.slotwise.internal.Workers;

/**
 * Scores ||c||² / 2 - x . c of features and centres, the lowest of which is the nearest centre's,
 * and what they say of distances: for {@link BoundedAssignment}.
 */
final class CenterScores {

    private static final float ULP = 0x1p-24f;

    /** ||x|| of each feature, (N). */
    final float[] norms;

    /** ||c||² / 2 of each centre, (K). */
    final float[] halfSquares;

    private final float[][] centers; // (K)(F, and 0 if that is odd)
    private final double relativeError;
    private double largest; // ||c||

    /**
     * Prepares for an image.
     *
     * @param points its features
     * @param tiles the same
     */
    CenterScores(BlockedPoints points, FeatureTiles tiles, int clusters) {
        centers = new float[clusters][FeatureTiles.width(points.featureSize)];
        halfSquares = new float[clusters];
        relativeError = (points.featureSize + 16.0) * ULP;
        norms = new float[points.size];
        Workers.each(tiles.count(), () -> tile -> measure(tiles, tile));
    }

    private void measure(FeatureTiles tiles, int tile) {
        float[] squares = new float[FeatureTiles.TILE];
        for (float[] column : tiles.columns(tile)) {
            VectorLoops.addSquares(squares, column);
        }
        for (int m = 0; m < tiles.size(tile); m++) {
            norms[tile * FeatureTiles.TILE + m] = (float) Math.sqrt(squares[m]);
        }
    }

    /** Takes other centres (K)(F). */
    void take(float[][] c) {
        largest = 0;
        for (int k = 0; k < c.length; k++) {
            System.arraycopy(c[k], 0, centers[k], 0, c[k].length);
            double square = 0;
            for (float v : c[k]) {
                square += (double) v * v;
            }
            halfSquares[k] = (float) (square / 2);
            largest = Math.max(largest, Math.sqrt(square));
        }
    }

    /**
     * Computes x . c; from any thread.
     *
     * @param columns of features, as {@link FeatureTiles} has them
     * @param products where to put it, (K)(at least n)
     */
    void multiply(float[][] columns, float[][] products, int n) {
        for (float[] row : products) {
            Arrays.fill(row, 0, n, 0);
        }
        ColumnProducts.add(columns, products, centers, centers.length, 0, n);
    }

    /**
     * Bounds distances by scores, whatever their rounding.
     *
     * @param least the least score of each of some features
     * @param second the second least
     * @param norm ||x||
     * @param nearest for the distance to the nearest centre: at most so far
     * @param gap for by how much farther the next is: at least so much, and above 0 only if the
     *     scores tell which is nearer
     */
    void bound(
            float[] least,
            float[] second,
            float[] norm,
            float[] nearest,
            float[] gap,
            float below,
            float above,
            int n) {
        VectorLoops.reach(nearest, norm, (float) largest, 4 * (float) relativeError, n);
        VectorLoops.distances(gap, second, norm, nearest, -1, below, n);
        VectorLoops.distances(nearest, least, norm, nearest, 1, above, n);
        VectorLoops.subtract(gap, nearest, n);
    }
}
