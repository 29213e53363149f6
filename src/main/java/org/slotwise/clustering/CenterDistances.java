package org.slotwise.clustering;

import java.util.Arrays;

/**
 * Half the distances between centres: a feature that is nearer to its own centre than half way to
 * another is nearer to its own.
 */
final class CenterDistances {

    /** To the nearest other centre, at least so far: (K). */
    final float[] halfToNearest;

    CenterDistances(int clusters) {
        halfToNearest = new float[clusters];
    }

    void measure(float[][] centers, float below) {
        Arrays.fill(halfToNearest, Float.POSITIVE_INFINITY);
        for (int k = 0; k < centers.length; k++) {
            for (int l = 0; l < k; l++) {
                double square = LloydStart.squaredDistance(centers[k], centers[l]);
                float half = (float) Math.sqrt(square) / 2 * below;
                halfToNearest[k] = Math.min(halfToNearest[k], half);
                halfToNearest[l] = Math.min(halfToNearest[l], half);
            }
        }
    }
}
