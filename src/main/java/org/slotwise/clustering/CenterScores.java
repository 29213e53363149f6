package org.slotwise.clustering;

/**
 * What scores ||c||² / 2 - x . c of features and centres, the lowest of which is the nearest
 * centre's, say of distances: for {@link BoundedAssignment}.
 */
final class CenterScores {

    private static final float ULP = 0x1p-24f;

    /** ||x|| of each feature, (N). */
    final float[] norms;

    /** ||c||² / 2 of each centre, (K). */
    final float[] halfSquares;

    private final double relativeError;
    private double largest; // ||c||

    /**
     * Prepares for an image.
     *
     * @param norms ||x|| of each feature, (N)
     */
    CenterScores(float[] norms, int featureSize, int clusters) {
        this.norms = norms;
        halfSquares = new float[clusters];
        relativeError = (featureSize + 16.0) * ULP;
    }

    /** Takes other centres (K)(F). */
    void take(float[][] c) {
        largest = 0;
        for (int k = 0; k < c.length; k++) {
            double square = 0;
            for (float v : c[k]) {
                square += (double) v * v;
            }
            halfSquares[k] = (float) (square / 2);
            largest = Math.max(largest, Math.sqrt(square));
        }
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
        DistanceLoops.reach(nearest, norm, (float) largest, 4 * (float) relativeError, n);
        DistanceLoops.distances(gap, second, norm, nearest, -1, below, n);
        DistanceLoops.distances(nearest, least, norm, nearest, 1, above, n);
        DistanceLoops.subtract(gap, nearest, n);
    }
}
