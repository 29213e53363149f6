package org.slotwise.clustering;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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

    private BoundedStart(
            BlockedPoints points, int clusters, AssignmentStep assignment, ChangedLabels changes) {
        this.points = points;
        this.clusters = clusters;
        this.assignment = assignment;
        this.changes = changes;
        sums = new ClusterSums(clusters, points.featureSize);
        centers = new float[clusters][points.featureSize];
        next = new float[clusters][points.featureSize];
    }

    /** For features that lie in boxes, which are in {@link SpatialOrder}. */
    static BoundedStart boxed(BlockedPoints points, int clusters) {
        ChangedLabels changes = new ChangedLabels(points);
        return new BoundedStart(
                points, clusters, new BoxedAssignment(points, clusters, changes), changes);
    }

    /** For features whose distances have bounds; as {@link BoundedAssignment} takes them. */
    static BoundedStart bounded(
            BlockedPoints points,
            float[] norms,
            Supplier<? extends CenterProducts> products,
            int clusters) {
        ChangedLabels changes = new ChangedLabels(points);
        AssignmentStep assignment =
                new BoundedAssignment(points, norms, products, clusters, changes);
        return new BoundedStart(points, clusters, assignment, changes);
    }

    /**
     * Iterates until the start has ended.
     *
     * @param from the centres, K F numbers
     * @param image whose start it is
     * @param course how
     */
    void run(float[] from, int image, LloydCourse course) {
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(from, k * centers[k].length, centers[k], 0, centers[k].length);
        }
        sums.clear();
        assignment.begin();
        double[] moved = new double[clusters];
        double movement = Double.POSITIVE_INFINITY;
        boolean beyond = false;
        for (int t = 1; ; t++) {
            changes.clear();
            assignment.assign(centers);
            boolean converged = t > 1 && !changes.count(sums, points.rows);
            if (t == 1) {
                sums.addAll(changes.labels, points.rows);
            }
            if (t > 1 && (movement <= course.tolerance[image] || t > course.maxIter)) {
                iterations = t - 1;
                return;
            }
            boolean emptied = sums.anyEmpty();
            if (emptied) {
                sums.afterTakeover(points, centers, changes.labels).means(next);
            } else {
                sums.means(next);
            }
            boolean ended = converged && !beyond;
            double before = movement;
            movement = squaredMovement();
            beyond = !emptied && !converged && course.goesBeyond(image, t, movement, before);
            exchange(moved, beyond ? course : null);
            if (ended) {
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

    /** The squared distances of the next centres from the centres, summed. */
    private double squaredMovement() {
        double movement = 0;
        for (int k = 0; k < clusters; k++) {
            movement += LloydStart.squaredDistance(next[k], centers[k]);
        }
        return movement;
    }

    /**
     * Makes the next centres the centres.
     *
     * @param moved where to write how far each moved
     * @param beyond how they go beyond the means; null if they do not
     */
    private void exchange(double[] moved, @Nullable LloydCourse beyond) {
        for (int k = 0; k < clusters; k++) {
            if (beyond != null) {
                beyond.goBeyond(next[k], centers[k]);
            }
            moved[k] = Math.sqrt(LloydStart.squaredDistance(next[k], centers[k]));
        }
        float[][] old = centers;
        centers = next;
        next = old;
    }
}
