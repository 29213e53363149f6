package org.slotwise.clustering;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How far centres have moved since earlier iterations: from where they were to where they are,
 * which is less than the way that they took (Newling and Fleuret, "Fast k-means with accurate
 * bounds", 2016).
 *
 * <p>Iterations are counted from the one in which all distances were computed. Of the older ones
 * some centres are kept, and for the others how far those of the next kept iteration were from
 * theirs.
 */
final class CenterHistory {

    /** Of how many iterations centres are kept. */
    private static final int KEPT = 24;

    /** After how many iterations to begin anew: what is told for each is looked up at random. */
    static final int LONGEST = 256;

    private final int clusters;
    private final float above; // what a computed distance is multiplied by to be a bound
    private final List<float[][]> kept = new ArrayList<>(); // (K)(F) each
    private final int[] number = new int[KEPT + 1]; // of the kept iterations, ascending
    private final double[] away; // (LONGEST K): from those of the next kept iteration
    private final double[] since; // (K)
    private int now;

    /**
     * For each iteration and the centre that is a feature's own, by how much the feature may have
     * come nearer to another in relation to its own: (LONGEST, K), at most so far.
     */
    final float[] closer;

    /** How far each centre has moved since each iteration: (LONGEST, K), at most so far. */
    final float[] moved;

    CenterHistory(int clusters, float above) {
        this.clusters = clusters;
        this.above = above;
        away = new double[LONGEST * clusters];
        since = new double[clusters];
        closer = new float[LONGEST * clusters];
        moved = new float[LONGEST * clusters];
    }

    /** The number of this iteration. */
    int now() {
        return now;
    }

    /** Whether no further iteration can be counted. */
    boolean isFull() {
        return now == LONGEST - 1;
    }

    /** Begins with an iteration in which all distances are computed. */
    void begin(float[][] centers) {
        kept.clear();
        now = 0;
        keep(centers);
    }

    /** Goes on to the next iteration. */
    void next(float[][] centers) {
        if (kept.size() == KEPT) {
            thin();
        }
        int from = 0;
        for (int i = 0; i < kept.size(); i++) {
            measure(kept.get(i), centers);
            for (int t = from; t <= number[i]; t++) {
                tell(t);
            }
            from = number[i] + 1;
        }
        now++;
        keep(centers);
    }

    private void keep(float[][] centers) {
        number[kept.size()] = now;
        float[][] copy = new float[clusters][];
        for (int k = 0; k < clusters; k++) {
            copy[k] = centers[k].clone();
        }
        kept.add(copy);
        int at = now * clusters;
        Arrays.fill(away, at, at + clusters, 0);
        Arrays.fill(closer, at, at + clusters, 0);
        Arrays.fill(moved, at, at + clusters, 0);
    }

    /** Forgets every second of the older half. */
    private void thin() {
        for (int i = 0; i < kept.size() / 2; i++) {
            measure(kept.get(i), kept.get(i + 1));
            int from = i == 0 ? 0 : number[i - 1] + 1;
            for (int at = from * clusters; at < (number[i] + 1) * clusters; at++) {
                away[at] += since[at % clusters];
            }
            kept.remove(i);
            System.arraycopy(number, i + 1, number, i, kept.size() - i);
        }
    }

    private void measure(float[][] before, float[][] after) {
        for (int k = 0; k < clusters; k++) {
            since[k] = Math.sqrt(LloydStart.squaredDistance(before[k], after[k]));
        }
    }

    /** Adds up what is known of the way since an iteration. */
    private void tell(int t) {
        int at = t * clusters;
        float first = 0;
        float second = 0;
        int farthest = 0;
        for (int k = 0; k < clusters; k++) {
            float way = (float) (away[at + k] + since[k]) * above;
            moved[at + k] = way;
            if (way > first) {
                second = first;
                first = way;
                farthest = k;
            } else {
                second = Math.max(second, way);
            }
        }
        for (int k = 0; k < clusters; k++) {
            float others = k == farthest ? second : first;
            closer[at + k] = (moved[at + k] + others) * above;
        }
    }
}
