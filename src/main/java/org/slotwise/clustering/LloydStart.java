package org.slotwise.clustering;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;

/**
 * Lloyd's iterations from one start: for {@link ThreadedLloyd}, of which each thread has one of
 * these. What it holds is used again for the next start.
 *
 * <p>A cluster that neither lost nor gained a feature keeps its centre, and the scores that go with
 * it.
 */
final class LloydStart {

    /** How many scores are worked on at once, about as many as fit a first-level cache. */
    private static final int SCORES = 6 << 10;

    private static final int FEWEST_COLUMNS = 256;

    private static final int NONE = -1;

    private final int size; // N
    private final int clusters;
    private final int featureSize; // F
    private final float[][] scores; // (K)(N): x . c - ||c||² / 2
    private final float[] highest; // (N)
    private final boolean[] changed; // whether a cluster has other features than before, (K)
    private final ClusterMeans means;
    private float[][] centers; // (K)(F, and 0 if that is odd)
    private float[][] next; // (K)(F, and 0 if that is odd)
    private int[] labels; // (N)
    private int[] previous; // (N)
    private int iterations;
    private double gain;

    LloydStart(int size, int clusters, int featureSize) {
        this.size = size;
        this.clusters = clusters;
        this.featureSize = featureSize;
        scores = new float[clusters][size];
        highest = new float[size];
        changed = new boolean[clusters];
        means = new ClusterMeans(size, clusters);
        int width = ColumnProducts.width(featureSize);
        centers = new float[clusters][width];
        next = new float[clusters][width];
        labels = new int[size];
        previous = new int[size];
    }

    /**
     * Iterates until the start has ended.
     *
     * @param points the image's features
     * @param from the centres, K F numbers
     * @param image whose start it is
     * @param course how
     */
    void run(ThreadedLloyd.Points points, float[] from, int image, LloydCourse course) {
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(from, k * featureSize, centers[k], 0, featureSize);
        }
        Arrays.fill(changed, true);
        Arrays.fill(previous, NONE);
        double movement = Double.POSITIVE_INFINITY;
        boolean beyond = false;
        for (int t = 1; ; t++) {
            assign(points.columns);
            if (t > 1 && (movement <= course.tolerance[image] || t > course.maxIter)) {
                iterations = t - 1;
                gain = sum(highest);
                return;
            }
            boolean converged = !findChanges();
            boolean ended = converged && !beyond;
            if (beyond) {
                Arrays.fill(changed, true); // their centres are not their means
            }
            boolean tookOver = !means.sort(labels);
            if (tookOver) {
                // Labels alone do not tell the clusters' features. Nothing of that is left once
                // none is empty: a feature that was taken is then nearest to what took it.
                Arrays.fill(changed, true);
                means.sort(afterTakeover(points.rows));
                means.averageAll(points.rows, next);
            } else {
                averageChanged(points.rows);
            }
            double before = movement;
            movement = squaredMovement();
            beyond = !tookOver && !converged && course.goesBeyond(image, t, movement, before);
            exchange(beyond ? course : null);
            if (ended) {
                iterations = t;
                gain = tookOver ? gainOf(points.rows) : sum(highest);
                return;
            }
            int[] free = previous;
            previous = labels;
            labels = free;
        }
    }

    int iterations() {
        return iterations;
    }

    double gain() {
        return gain;
    }

    /** Writes where the start ended: centres, K F numbers, and labels, N. */
    void copyTo(float[] allCenters, int center, float[] allLabels, int label) {
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(centers[k], 0, allCenters, center + k * featureSize, featureSize);
        }
        for (int j = 0; j < size; j++) {
            allLabels[label + j] = labels[j];
        }
    }

    /** Finds the labels for the centres, and the highest scores. */
    private void assign(float[][] columns) {
        float[][] stale = new float[clusters][];
        float[][] of = new float[clusters][];
        int count = 0;
        for (int k = 0; k < clusters; k++) {
            if (changed[k]) {
                Arrays.fill(scores[k], -halfSquare(centers[k]));
                stale[count] = scores[k];
                of[count] = centers[k];
                count++;
            }
        }
        int step = Math.max(FEWEST_COLUMNS, SCORES / clusters);
        for (int from = 0; from < size; from += step) {
            int to = Math.min(size, from + step);
            ColumnProducts.add(columns, stale, of, count, from, to);
            System.arraycopy(scores[0], from, highest, from, to - from);
            for (int k = 1; k < clusters; k++) {
                VectorLoops.raise(highest, scores[k], from, to);
            }
            for (int j = from; j < to; j++) {
                int k = 0;
                while (scores[k][j] != highest[j]) { // the first of equals
                    k++;
                }
                labels[j] = k;
            }
        }
    }

    private static float halfSquare(float[] c) {
        float sum = 0;
        for (float v : c) {
            sum = Math.fma(v, v, sum);
        }
        return sum / 2;
    }

    /** Finds out which clusters have other features than before; returns whether any has. */
    private boolean findChanges() {
        Arrays.fill(changed, false);
        boolean any = false;
        for (int j = 0; j < size; j++) {
            if (labels[j] != previous[j]) {
                any = true;
                changed[labels[j]] = true;
                if (previous[j] != NONE) {
                    changed[previous[j]] = true;
                }
            }
        }
        return any;
    }

    private void averageChanged(float[][] rows) {
        for (int k = 0; k < clusters; k++) {
            if (changed[k]) {
                means.average(rows, k, next[k]);
            } else {
                System.arraycopy(centers[k], 0, next[k], 0, next[k].length);
            }
        }
    }

    /**
     * Which cluster each feature counts for after the emptied clusters, in order, have taken over
     * the features farthest from their centres, the farthest first. The labels stay. If every
     * feature lies on its centre, nothing is taken.
     */
    private int[] afterTakeover(float[][] rows) {
        double[] distance = new double[size];
        for (int j = 0; j < size; j++) {
            distance[j] = squaredDistance(rows[j], centers[labels[j]]);
        }
        if (distance[farthest(distance)] == 0) {
            return labels;
        }
        int[] taken = labels.clone();
        for (int k = 0; k < clusters; k++) {
            if (means.count[k] == 0) {
                int j = farthest(distance);
                taken[j] = k;
                distance[j] = -1;
            }
        }
        return taken;
    }

    static int farthest(double[] distance) {
        int farthest = 0;
        for (int j = 1; j < distance.length; j++) {
            farthest = distance[j] > distance[farthest] ? j : farthest;
        }
        return farthest;
    }

    /** The squared distances of the next centres from the centres, summed. */
    private double squaredMovement() {
        double movement = 0;
        for (int k = 0; k < clusters; k++) {
            movement += changed[k] ? squaredDistance(next[k], centers[k]) : 0;
        }
        return movement;
    }

    /**
     * Makes the next centres the centres.
     *
     * @param beyond how they go beyond the means; null if they do not
     */
    private void exchange(@Nullable LloydCourse beyond) {
        if (beyond != null) {
            for (int k = 0; k < clusters; k++) {
                beyond.goBeyond(next[k], centers[k]);
            }
        }
        float[][] old = centers;
        centers = next;
        next = old;
    }

    static double squaredDistance(float[] x, float[] y) {
        double sum = 0;
        for (int f = 0; f < x.length; f++) {
            double d = (double) x[f] - y[f];
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    /** The gain of the centres with the labels that they came from. */
    private double gainOf(float[][] rows) {
        double sum = 0;
        for (int j = 0; j < size; j++) {
            float[] x = rows[j];
            float[] c = centers[labels[j]];
            for (int f = 0; f < c.length; f++) {
                sum += (x[f] - c[f] / 2.0) * c[f];
            }
        }
        return sum;
    }
}
