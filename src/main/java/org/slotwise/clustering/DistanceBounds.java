package org.slotwise.clustering;

import java.util.Arrays;

/**
 * What is known of the distances of features to centres without computing them again: as centres
 * move, a distance changes by no more than its centre has moved (Elkan, "Using the triangle
 * inequality to accelerate k-means", 2003; a bound for all other centres together: Hamerly, "Making
 * k-means even faster", 2010).
 *
 * <p>Bounds are kept as they were when their distance was computed, with the iteration; so that
 * nothing is written where nothing is computed. They allow for all rounding.
 */
final class DistanceBounds {

    /**
     * From which movement on, in relation to the gap between the nearest and the second centre,
     * computing all distances is faster: measured.
     */
    private static final double FAR = 0.8;

    private static final float ULP = 0x1p-24f;

    /** By how much nearer than all others a feature's own centre was, at least: (N). */
    final float[] gap;

    /** How far a feature's own centre was, at most: (N). */
    final float[] own;

    /** Where {@link CenterHistory} and {@link #near} tell what has happened since: (N). */
    final int[] place;

    /** How near a feature must have been to its own centre to be nearer to it than to others. */
    final float[] near; // (iterations, K)

    final CenterHistory history;

    /** What a computed distance is multiplied by to be a bound. */
    final float below;

    final float above;

    private final CenterDistances between;
    private final int clusters;
    private final float[] spare; // (blocks), below 0 where it is not known
    private float path; // the sum over iterations of the largest movement
    private double meanGap;

    DistanceBounds(BlockedPoints points, int clusters) {
        this.clusters = clusters;
        gap = new float[points.size];
        own = new float[points.size];
        place = new int[points.size];
        spare = new float[points.blocks()];
        between = new CenterDistances(clusters);
        near = new float[CenterHistory.LONGEST * clusters];
        float error = (points.featureSize + 8) * ULP;
        below = 1 - error;
        above = 1 + error;
        history = new CenterHistory(clusters, above);
    }

    /** Begins anew, before all distances are computed. */
    void begin(float[][] centers) {
        Arrays.fill(spare, -1);
        path = 0;
        history.begin(centers);
    }

    /** Goes on to the next iteration, before some distances are computed. */
    void next(float[][] centers) {
        history.next(centers);
        between.measure(centers, below);
        for (int t = 0; t < history.now(); t++) {
            for (int k = 0; k < clusters; k++) {
                int at = t * clusters + k;
                near[at] = (between.halfToNearest[k] - history.moved[at]) * below;
            }
        }
    }

    /** After all distances have been computed. */
    void measured() {
        meanGap = 0;
        for (float g : gap) {
            meanGap += g;
        }
        meanGap /= gap.length;
    }

    /**
     * Notes how far the centres have moved.
     *
     * @return whether bounds are so loose that all distances had better be computed
     */
    boolean move(double[] by) {
        double farthest = 0;
        for (double distance : by) {
            farthest = Math.max(farthest, distance);
        }
        path = (float) (path + farthest * above) * above;
        return !(farthest <= meanGap * FAR) || history.isFull();
    }

    /**
     * Notes the distances of a feature as computed.
     *
     * @param nearest to its own centre, at most
     * @param nearer by how much less than to all others, at least
     */
    void set(int feature, int label, float nearest, float nearer) {
        own[feature] = nearest;
        gap[feature] = nearer;
        place[feature] = history.now() * clusters + label;
    }

    /** 0 if a feature is known to stay with its own centre, else 1; without branches. */
    int doubt(int feature) {
        int at = place[feature];
        int byGap = Float.floatToRawIntBits(history.closer[at] - gap[feature]);
        int byRoom = Float.floatToRawIntBits(own[feature] - near[at]);
        return ((byGap | byRoom) >>> 31) ^ 1; // the signs
    }

    /** Whether the bounds of all features of a block are known to say that their labels stay. */
    boolean allStay(int block) {
        return 2 * path < spare[block];
    }

    /** Finds out by how much bounds of a block may come closer until one says nothing. */
    void measureSpare(int block) {
        if (spare[block] < 0) {
            float least = Float.POSITIVE_INFINITY;
            int end = Math.min(gap.length, (block + 1) * BlockedPoints.BLOCK);
            for (int j = block * BlockedPoints.BLOCK; j < end; j++) {
                least = Math.min(least, gap[j] - history.closer[place[j]]);
            }
            spare[block] = Math.max(0, least + 2 * path) * below;
        }
    }

    /** After a bound of a block has changed. */
    void forgetSpare(int block) {
        spare[block] = -1;
    }
}
