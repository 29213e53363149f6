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

    /**
     * From which movement on, in relation to the gap between the nearest and the second centre,
     * computing all distances is faster: measured.
     */
    private static final double FAR = 0.8;

    private static final float ULP = 0x1p-24f;

    /** Of the distance to a feature's own centre, less its drift: at most so far, (N). */
    final float[] own;

    /** Of those to all others, with the largest drift: at least so far, (N). */
    final float[] others;

    /** How far each centre has moved since all distances were computed, (K). */
    final float[] drift;

    /** What a computed distance is multiplied by to be a bound. */
    final float below;

    final float above;

    final CenterDistances between;

    private final float[] spare; // (blocks), below 0 where it is not known
    private final double[] moved; // (K)
    private float most; // of drift
    private double largestMoved;
    private double largest;
    private double gap; // between the nearest and the second, on average

    /** The sum over iterations of the largest movement. */
    float largestDrift;

    /** What rounding may add to differences of bounds. */
    float slack;

    DistanceBounds(BlockedPoints points, int clusters) {
        own = new float[points.size];
        others = new float[points.size];
        spare = new float[points.blocks()];
        between = new CenterDistances(clusters);
        drift = new float[clusters];
        moved = new double[clusters];
        float error = (points.featureSize + 8) * ULP;
        below = 1 - error;
        above = 1 + error;
    }

    /** Begins anew, before all distances are computed. */
    void reset() {
        Arrays.fill(moved, 0);
        Arrays.fill(drift, 0);
        Arrays.fill(spare, -1);
        most = 0;
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
        double farthest = 0;
        for (int k = 0; k < by.length; k++) {
            moved[k] += by[k] * above;
            drift[k] = (float) moved[k];
            most = Math.max(most, drift[k]);
            farthest = Math.max(farthest, by[k]);
        }
        largestMoved += farthest * above;
        largestDrift = (float) largestMoved;
        round();
        return !(farthest <= gap * FAR && largestMoved <= 4 * largest);
    }

    /** Notes what the distances of a feature are as computed: to its centre, and the next. */
    void set(int feature, int label, float nearest, float next) {
        own[feature] = nearest * above - drift[label];
        others[feature] = next * below + largestDrift;
    }

    /** Whether the bounds of all features of a block are known to say that their labels stay. */
    boolean allStay(int block) {
        return most + largestDrift + slack < spare[block];
    }

    /** Finds out by how much bounds of a block may come closer until one says nothing. */
    void measureSpare(int block) {
        if (spare[block] < 0) {
            float least = Float.POSITIVE_INFINITY;
            int end = Math.min(own.length, (block + 1) * BlockedPoints.BLOCK);
            for (int j = block * BlockedPoints.BLOCK; j < end; j++) {
                least = Math.min(least, others[j] - own[j]);
            }
            spare[block] = Math.max(0, least);
        }
    }

    /** After a bound of a block has changed. */
    void forgetSpare(int block) {
        spare[block] = -1;
    }

    private void round() {
        slack = (float) (8 * ULP * (largest + 2 * largestMoved));
    }
}
