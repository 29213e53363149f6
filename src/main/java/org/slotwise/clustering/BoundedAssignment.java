package org.slotwise.clustering;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.slotwise.internal.Workers;

/**
 * Which centres features are nearest to, the first of equals: for {@link BoundedStart}. Where
 * {@link DistanceBounds} do not say that a label stays, all scores of the feature are computed,
 * those of many features together ({@link CenterScores}); and where scores are too close to tell by
 * their rounding, all distances.
 */
final class BoundedAssignment implements AssignmentStep {

    private final BlockedPoints points;
    private final int clusters;
    private final CenterScores scores;
    private final DistanceBounds bounds;
    private final ChangedLabels changes;
    private final int[] labels; // (N)
    private final int[][] doubtful; // (blocks)(BLOCK): whose scores are computed
    private final int[] count; // (blocks): how many
    private final int[] place; // (blocks): where those of a block begin among those computed
    private float[][] centers = {}; // (K)(F)
    private boolean all; // whether all scores are computed

    BoundedAssignment(
            BlockedPoints points, CenterScores scores, int clusters, ChangedLabels changes) {
        this.points = points;
        this.clusters = clusters;
        this.scores = scores;
        this.changes = changes;
        labels = changes.labels;
        bounds = new DistanceBounds(points, clusters);
        doubtful = new int[points.blocks()][BlockedPoints.BLOCK];
        count = new int[points.blocks()];
        place = new int[points.blocks()];
    }

    @Override
    public void begin() {
        all = true;
    }

    @Override
    public void moved(double[] by, boolean anew) {
        all = bounds.move(by) || anew;
    }

    @Override
    public void assign(float[][] newCenters) {
        centers = newCenters;
        scores.take(centers);
        if (all) {
            bounds.reset();
            for (int b = 0; b < count.length; b++) {
                count[b] = points.end(b) - b * BlockedPoints.BLOCK;
            }
        } else {
            bounds.between.measure(centers, bounds.below);
            Workers.each(count.length, () -> this::doubt);
        }
        int limit = scores.blocks * BlockedPoints.BLOCK;
        int next;
        for (int first = 0; first < count.length; first = next) {
            int rows = 0;
            for (next = first; next < count.length && rows + count[next] <= limit; next++) {
                place[next] = rows;
                rows += count[next];
            }
            score(first, next, rows);
        }
        if (all) {
            bounds.measured();
        }
    }

    /** Notes those features of a block whose own centre may not be the nearest any more. */
    private void doubt(int b) {
        count[b] = 0;
        if (bounds.allStay(b)) {
            return;
        }
        int start = b * BlockedPoints.BLOCK;
        int n = points.end(b) - start;
        int[] found = doubtful[b];
        float slack = bounds.slack;
        float drift = bounds.largestDrift + slack;
        float[] drifts = bounds.drift;
        float[] half = bounds.between.halfToNearest;
        int some = 0;
        for (int i = 0; i < n; i++) {
            int k = labels[start + i];
            float own = bounds.own[start + i] + drifts[k];
            found[some] = i;
            boolean clear = own < bounds.others[start + i] - drift || own < half[k] - slack;
            some += clear ? 0 : 1;
        }
        count[b] = some;
        if (some == 0) {
            bounds.measureSpare(b);
        }
    }

    /** Finds the labels of the doubtful features of some blocks. */
    private void score(int first, int next, int rows) {
        if (rows == 0) {
            return;
        }
        if (all) {
            scores.ofRange(first * BlockedPoints.BLOCK, points.end(next - 1));
        } else {
            Workers.each(next - first, () -> block -> choose(first + block));
            scores.ofChosen(rows);
        }
        Workers.each(
                next - first,
                () -> {
                    IntConsumer settling = new Settling()::settle;
                    return block -> settling.accept(first + block);
                });
    }

    private void choose(int b) {
        for (int m = 0; m < count[b]; m++) {
            scores.choose(place[b] + m, b * BlockedPoints.BLOCK + doubtful[b][m]);
        }
    }

    /** Finds the labels of a block's doubtful features by their scores. */
    private final class Settling {
        private final float[][] products = new float[clusters][BlockedPoints.BLOCK];
        private final float[] least = new float[BlockedPoints.BLOCK]; // of ||c||² / 2 - x . c
        private final float[] second = new float[BlockedPoints.BLOCK];
        private final float[] squares = new float[clusters];

        void settle(int b) {
            int n = count[b];
            if (n == 0) {
                return;
            }
            bounds.forgetSpare(b);
            Arrays.fill(least, 0, n, Float.POSITIVE_INFINITY);
            Arrays.fill(second, 0, n, Float.POSITIVE_INFINITY);
            for (int k = 0; k < clusters; k++) {
                scores.read(k, place[b], products[k], n);
                VectorLoops.lowerTwo(least, second, products[k], scores.halfSquares[k], n);
            }
            int start = b * BlockedPoints.BLOCK;
            for (int m = 0; m < n; m++) {
                int i = all ? m : doubtful[b][m];
                int j = start + i;
                double error = 4 * scores.error(j);
                int k;
                if (second[m] - least[m] > error) {
                    k = labels[j];
                    if (value(k, m) != least[m]) {
                        k = 0;
                        while (value(k, m) != least[m]) {
                            k++;
                        }
                    }
                    double square = (double) scores.norms[j] * scores.norms[j];
                    double nearest = Math.max(0, square + 2 * least[m] + error);
                    double other = Math.max(0, square + 2 * second[m] - error);
                    bounds.set(j, k, (float) Math.sqrt(nearest), (float) Math.sqrt(other));
                } else {
                    k = exactly(j);
                }
                changes.set(b, i, k);
            }
        }

        private float value(int k, int m) {
            return scores.halfSquares[k] - products[k][m];
        }

        private int exactly(int j) {
            int best = 0;
            float other = Float.POSITIVE_INFINITY;
            for (int k = 0; k < clusters; k++) {
                squares[k] = points.squaredDistance(j, centers[k]);
                if (squares[k] < squares[best]) {
                    other = squares[best];
                    best = k;
                } else if (k > 0) {
                    other = Math.min(other, squares[k]);
                }
            }
            bounds.set(j, best, (float) Math.sqrt(squares[best]), (float) Math.sqrt(other));
            return best;
        }
    }
}
