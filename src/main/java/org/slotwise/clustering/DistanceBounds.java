package org.slotwise.clustering;

import java.util.Arrays;

/**
 * What is known of the distances of features to centres without computing them again: as centres
 * move, a distance changes by no more than its centre has moved (Elkan, "Using the triangle
 * inequality to accelerate k-means", 2003; a bound for all other centres together: Hamerly, "Making
 * k-means even faster", 2010).
 *
 * <p>Bounds are kept as they were when their distance was computed, with what the centre had moved
 * by then; so that nothing is written where nothing is computed. They allow for all rounding.
 */
final class DistanceBounds {

    /** In the place of a bound of the own centre: never in doubt. */
    static final float OWN = Float.POSITIVE_INFINITY;

    /**
     * From which movement on, in relation to the gap between the nearest and the second centre,
     * computing all distances is faster: measured.
     */
    private static final double FAR = 0.35;

    private static final float ULP = 0x1p-24f;

    /** Of the distance to a feature's own centre, less its drift: at most so far, (N). */
    final float[] own;

    /** Of those to all others, with the largest drift: at least so far, (N). */
    final float[] others;

    /** Of that to each centre, with its drift: at least so far, (N, K); {@link #OWN} of the own. */
    final float[] each;

    /** How far each centre has moved since all distances were computed, (K). */
    final float[] drift;

    /** What a computed distance is multiplied by to be a bound. */
    final float below;

    final float above;

    private final double[] moved; // (K)
    private double largestMoved;
    private double largest;
    private double gap; // between the nearest and the second, on average

    /** The sum over iterations of the largest movement. */
    float largestDrift;

    /** What rounding may add to differences of bounds. */
    float slack;

    DistanceBounds(BlockedPoints points, int clusters, int featureSize) {
        boolean narrow = featureSize <= NarrowAssignment.ELEMENTS; // which needs none
        int size = narrow ? 0 : points.size;
        own = new float[size];
        others = new float[size];
        each = new float[Math.multiplyExact(size, clusters)];
        drift = new float[clusters];
        moved = new double[clusters];
        float error = (featureSize + 8) * ULP;
        below = 1 - error;
        above = 1 + error;
    }

    /** Begins anew, before all distances are computed. */
    void reset() {
        Arrays.fill(moved, 0);
        Arrays.fill(drift, 0);
        largestMoved = 0;
        largestDrift = 0;
    }

    /** After all distances have been computed: how large they are decides how they are rounded. */
    void measured() {
        largest = 0;
        gap = 0;
        for (int j = 0; j < own.length; j++) {
            largest = Math.max(largest, own[j]);
            gap += others[j] - own[j];
        }
        gap /= own.length;
        round();
    }

    /**
     * Notes how far the centres have moved.
     *
     * @return whether bounds are so loose, or so badly rounded, that all distances had better be
     *     computed
     */
    boolean move(double[] by) {
        double most = 0;
        for (int k = 0; k < by.length; k++) {
            moved[k] += by[k] * above;
            drift[k] = (float) moved[k];
            most = Math.max(most, by[k]);
        }
        largestMoved += most * above;
        largestDrift = (float) largestMoved;
        round();
        return !(most <= gap * FAR && largestMoved <= 4 * largest);
    }

    /** The least of the bounds of a feature's distances to other centres, which begin somewhere. */
    float least(int at) {
        float a = OWN;
        float b = OWN;
        float c = OWN;
        float d = OWN;
        int k = 0;
        for (; k + 4 <= drift.length; k += 4) {
            a = Math.min(a, each[at + k] - drift[k]);
            b = Math.min(b, each[at + k + 1] - drift[k + 1]);
            c = Math.min(c, each[at + k + 2] - drift[k + 2]);
            d = Math.min(d, each[at + k + 3] - drift[k + 3]);
        }
        for (; k < drift.length; k++) {
            a = Math.min(a, each[at + k] - drift[k]);
        }
        return Math.min(Math.min(a, b), Math.min(c, d));
    }

    private void round() {
        slack = (float) (8 * ULP * (largest + 2 * largestMoved));
    }
}
