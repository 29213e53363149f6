package org.slotwise.clustering;

/**
 * Lloyd's iterations from one start for many features, as {@link LloydStart} makes them for few:
 * most distances are not computed, because an {@link AssignmentStep} knows that they cannot matter.
 * The labels are those that all distances would have given.
 */
final class BoundedStart {

    private final BlockedPoints points;
    private final int clusters;
    private final AssignmentStep assignment;
    private final ChangedLabels changes;
    private final ClusterSums sums;
    private float[][] centers; // (K)(F)
    private float[][] next; // (K)(F)
    private int iterations;

    /**
     * Prepares for an image.
     *
     * @param changes whose labels the assignment sets
     */
    BoundedStart(
            BlockedPoints points, int clusters, AssignmentStep assignment, ChangedLabels changes) {
        this.points = points;
        this.clusters = clusters;
        this.assignment = assignment;
        this.changes = changes;
        sums = new ClusterSums(clusters, points.featureSize);
        centers = new float[clusters][points.featureSize];
        next = new float[clusters][points.featureSize];
    }

    /**
     * Iterates until the start has ended.
     *
     * @param from the centres, K F numbers
     * @param tolerance the sum of squared movements at which it ends
     * @param maxIter after how many iterations it ends at the latest
     */
    void run(float[] from, double tolerance, int maxIter) {
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(from, k * centers[k].length, centers[k], 0, centers[k].length);
        }
        sums.clear();
        assignment.begin();
        double[] moved = new double[clusters];
        double movement = 0;
        for (int t = 1; ; t++) {
            changes.clear();
            assignment.assign(centers);
            boolean converged = t > 1 && !changes.count(sums, points.rows);
            if (t == 1) {
                sums.addAll(changes.labels, points.rows);
            }
            if (t > 1 && (movement <= tolerance || t > maxIter)) {
                iterations = t - 1;
                return;
            }
            boolean emptied = sums.anyEmpty();
            if (emptied) {
                sums.afterTakeover(points, centers, changes.labels).means(next);
            } else {
                sums.means(next);
            }
            movement = exchange(moved);
            if (converged) {
                iterations = t;
                return;
            }
            assignment.moved(moved, emptied);
        }
    }

    int iterations() {
        return iterations;
    }

    /** By the labels, which are those that the centres gave or came from. */
    double gain() {
        return sums.gain(centers);
    }

    /** Writes where the start ended: centres, K F numbers, and labels, N. */
    void copyTo(float[] allCenters, int center, float[] allLabels, int label) {
        for (int k = 0; k < clusters; k++) {
            int size = centers[k].length;
            System.arraycopy(centers[k], 0, allCenters, center + k * size, size);
        }
        for (int j = 0; j < points.size; j++) {
            allLabels[label + points.origin(j)] = changes.labels[j];
        }
    }

    /** Makes the next centres the centres; returns the sum of their squared movements. */
    private double exchange(double[] moved) {
        double movement = 0;
        for (int k = 0; k < clusters; k++) {
            double square = LloydStart.squaredDistance(next[k], centers[k]);
            moved[k] = Math.sqrt(square);
            movement += square;
        }
        float[][] old = centers;
        centers = next;
        next = old;
        return movement;
    }
}
