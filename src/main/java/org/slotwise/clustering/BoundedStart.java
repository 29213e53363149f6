package org.slotwise.clustering;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.slotwise.internal.Workers;

/**
 * Lloyd's iterations from one start for many features, as {@link LloydStart} makes them for few:
 * most distances are not computed, because {@link DistanceBounds} say that they cannot matter. The
 * labels are those that all distances would have given.
 */
final class BoundedStart {

    /** How many distances of a block are computed one by one before all of them are faster. */
    private static final int FEW = BlockedPoints.BLOCK / 6;

    private final BlockedPoints points;
    private final int clusters;
    private final DistanceBounds bounds;
    private final ClusterSums sums;
    private final CenterDistances between;
    private final int[] labels; // (N)
    private final int[][] changed; // (blocks)(BLOCK): which features have another label
    private final int[][] before; // (blocks)(BLOCK): and which they had
    private final int[] changes; // (blocks): how many
    private float[][] centers; // (K)(F)
    private float[][] next; // (K)(F)
    private int iterations;

    BoundedStart(BlockedPoints points, int clusters, int featureSize) {
        this.points = points;
        this.clusters = clusters;
        bounds = new DistanceBounds(points, clusters, featureSize);
        sums = new ClusterSums(clusters, featureSize);
        between = new CenterDistances(clusters);
        labels = new int[points.size];
        changed = new int[points.blocks()][BlockedPoints.BLOCK];
        before = new int[points.blocks()][BlockedPoints.BLOCK];
        changes = new int[points.blocks()];
        centers = new float[clusters][featureSize];
        next = new float[clusters][featureSize];
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
        double[] moved = new double[clusters];
        double movement = 0;
        boolean all = true; // whether all distances are computed
        for (int t = 1; ; t++) {
            assign(all);
            boolean converged = !count(t == 1);
            if (t > 1 && (movement <= tolerance || t > maxIter)) {
                iterations = t - 1;
                return;
            }
            boolean emptied = sums.anyEmpty();
            if (emptied) {
                sums.afterTakeover(points, centers, labels).means(next);
            } else {
                sums.means(next);
            }
            movement = exchange(moved);
            if (converged) {
                iterations = t;
                return;
            }
            all = bounds.move(moved) || emptied;
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
            allLabels[label + j] = labels[j];
        }
    }

    /** Finds the labels for the centres, and which of them changed. */
    private void assign(boolean all) {
        if (points.featureSize <= NarrowAssignment.ELEMENTS) {
            Workers.each(points.blocks(), this::narrow);
        } else if (all) {
            bounds.reset();
            Workers.each(points.blocks(), () -> new Everything()::assign);
            bounds.measured();
        } else {
            between.measure(centers, bounds.below);
            Workers.each(points.blocks(), () -> new Doubtful()::assign);
        }
    }

    private IntConsumer narrow() {
        NarrowAssignment assignment = new NarrowAssignment(clusters);
        return b ->
                changes[b] = assignment.assign(points, b, centers, labels, changed[b], before[b]);
    }

    /** Counts features for their new clusters; returns whether there is any. */
    private boolean count(boolean first) {
        boolean any = first;
        for (int b = 0; b < changes.length; b++) {
            int start = b * BlockedPoints.BLOCK;
            if (first) {
                for (int j = start; j < points.end(b); j++) {
                    sums.add(labels[j], points.rows, j);
                }
                continue;
            }
            any |= changes[b] > 0;
            for (int i = 0; i < changes[b]; i++) {
                int j = start + changed[b][i];
                sums.remove(before[b][i], points.rows, j);
                sums.add(labels[j], points.rows, j);
            }
        }
        return any;
    }

    private void relabel(int block, int i, int label) {
        int j = block * BlockedPoints.BLOCK + i;
        if (labels[j] != label) {
            int n = changes[block]++;
            changed[block][n] = i;
            before[block][n] = labels[j];
            labels[j] = label;
        }
    }

    /** Computes all distances of a block. */
    private final class Everything {
        private final float[][] columns = new float[points.featureSize][BlockedPoints.BLOCK];
        private final float[][] squares = new float[clusters][BlockedPoints.BLOCK];
        private final float[] least = new float[BlockedPoints.BLOCK];
        private final float[] second = new float[BlockedPoints.BLOCK];

        void assign(int b) {
            changes[b] = 0;
            points.columns(b, columns);
            Arrays.fill(least, Float.POSITIVE_INFINITY);
            Arrays.fill(second, Float.POSITIVE_INFINITY);
            for (int k = 0; k < clusters; k++) {
                BlockedPoints.squaredDistances(columns, centers[k], squares[k]);
                VectorLoops.lowerTwo(least, second, squares[k]);
            }
            int start = b * BlockedPoints.BLOCK;
            for (int i = 0; i < points.end(b) - start; i++) {
                int k = 0;
                while (squares[k][i] != least[i]) { // the first of equals
                    k++;
                }
                relabel(b, i, k);
                int at = (start + i) * clusters;
                for (int l = 0; l < clusters; l++) {
                    bounds.each[at + l] = (float) Math.sqrt(squares[l][i]) * bounds.below;
                }
                bounds.each[at + k] = DistanceBounds.OWN;
                bounds.own[start + i] = (float) Math.sqrt(least[i]) * bounds.above;
                bounds.others[start + i] = (float) Math.sqrt(second[i]) * bounds.below;
            }
        }
    }

    /** Computes those distances of a block that may matter. */
    private final class Doubtful {
        private final int[] doubtful = new int[BlockedPoints.BLOCK];
        private final int[][] candidates = new int[clusters][BlockedPoints.BLOCK];
        private final int[] candidateCount = new int[clusters];
        private final int[] best = new int[BlockedPoints.BLOCK];
        private final float[] bestSquare = new float[BlockedPoints.BLOCK];
        private final float[] ownSquare = new float[BlockedPoints.BLOCK];
        private final float[] others = new float[BlockedPoints.BLOCK];
        private final float[][] columns = new float[points.featureSize][BlockedPoints.BLOCK];
        private final float[] squares = new float[BlockedPoints.BLOCK];
        private int inColumns = -1; // which block

        void assign(int b) {
            changes[b] = 0;
            int count = stillDoubtful(b, doubt(b));
            if (count == 0) {
                return;
            }
            Arrays.fill(candidateCount, 0);
            count = findCandidates(b, count);
            for (int k = 0; k < clusters; k++) {
                if (candidateCount[k] > 0) {
                    compare(b, k);
                }
            }
            settle(b, count);
        }

        /** Features whose own centre may not be the nearest any more. */
        private int doubt(int b) {
            int start = b * BlockedPoints.BLOCK;
            int n = points.end(b) - start;
            float slack = bounds.slack;
            float drift = bounds.largestDrift + slack;
            float[] drifts = bounds.drift;
            float[] half = between.halfToNearest;
            int count = 0;
            for (int i = 0; i < n; i++) {
                int k = labels[start + i];
                float own = bounds.own[start + i] + drifts[k];
                doubtful[count] = i;
                boolean clear = own < bounds.others[start + i] - drift || own < half[k] - slack;
                count += clear ? 0 : 1;
            }
            return count;
        }

        /** Those of them of which the bounds of each centre do not say that it is. */
        private int stillDoubtful(int b, int count) {
            int start = b * BlockedPoints.BLOCK;
            int left = 0;
            for (int n = 0; n < count; n++) {
                int i = doubtful[n];
                int label = labels[start + i];
                float least = bounds.least((start + i) * clusters);
                float own = bounds.own[start + i] + bounds.drift[label];
                if (own + bounds.slack < least) {
                    bounds.others[start + i] = least + bounds.largestDrift;
                } else {
                    others[left] = least;
                    doubtful[left++] = i;
                }
            }
            return left;
        }

        /** The centres that may be nearer, once the distance to the own one is known. */
        private int findCandidates(int b, int count) {
            int start = b * BlockedPoints.BLOCK;
            float slack = bounds.slack;
            float[] drift = bounds.drift;
            float[] each = bounds.each;
            int left = 0;
            for (int n = 0; n < count; n++) {
                int i = doubtful[n];
                int label = labels[start + i];
                float square = points.squaredDistance(start + i, centers[label]);
                float own = (float) Math.sqrt(square) * bounds.above;
                bounds.own[start + i] = own - drift[label];
                float limit = own + slack;
                if (limit < others[n] || limit < between.halfToNearest[label]) {
                    bounds.others[start + i] = others[n] + bounds.largestDrift;
                    continue;
                }
                doubtful[left++] = i;
                best[i] = label;
                bestSquare[i] = square;
                ownSquare[i] = square;
                float[] half = between.half[label];
                int at = (start + i) * clusters;
                for (int k = 0; k < clusters; k++) {
                    if (each[at + k] - drift[k] > limit) {
                        continue;
                    }
                    if (half[k] > limit) {
                        float least = 2 * half[k] - limit;
                        each[at + k] = Math.max(each[at + k], least + drift[k]);
                        continue;
                    }
                    candidates[k][candidateCount[k]++] = i;
                }
            }
            return left;
        }

        private void compare(int b, int k) {
            int start = b * BlockedPoints.BLOCK;
            float[] c = centers[k];
            int n = candidateCount[k];
            boolean few = n <= FEW;
            if (!few) {
                if (inColumns != b) {
                    points.columns(b, columns);
                    inColumns = b;
                }
                BlockedPoints.squaredDistances(columns, c, squares);
            }
            for (int m = 0; m < n; m++) {
                int i = candidates[k][m];
                float square = few ? points.squaredDistance(start + i, c) : squares[i];
                bounds.each[(start + i) * clusters + k] =
                        (float) Math.sqrt(square) * bounds.below + bounds.drift[k];
                if (square < bestSquare[i] || (square == bestSquare[i] && k < best[i])) {
                    bestSquare[i] = square;
                    best[i] = k;
                }
            }
        }

        private void settle(int b, int count) {
            int start = b * BlockedPoints.BLOCK;
            float[] each = bounds.each;
            for (int n = 0; n < count; n++) {
                int i = doubtful[n];
                int at = (start + i) * clusters;
                int label = labels[start + i];
                if (best[i] != label) {
                    each[at + label] =
                            (float) Math.sqrt(ownSquare[i]) * bounds.below + bounds.drift[label];
                    each[at + best[i]] = DistanceBounds.OWN;
                    float own = (float) Math.sqrt(bestSquare[i]) * bounds.above;
                    bounds.own[start + i] = own - bounds.drift[best[i]];
                    relabel(b, i, best[i]);
                }
                bounds.others[start + i] = bounds.least(at) + bounds.largestDrift;
            }
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
