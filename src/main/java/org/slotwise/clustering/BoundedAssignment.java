package org.slotwise.clustering;

import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slotwise.internal.Workers;

/**
 * Which centres features are nearest to, the first of equals: for {@link BoundedStart}. Where
 * {@link DistanceBounds} do not say that a label stays, all scores of the feature are computed,
 * those of many features together ({@link CenterScores}); and where scores are too close to tell by
 * their rounding, all distances.
 */
final class BoundedAssignment implements AssignmentStep {

    /** How many features' scores are compared at once: long loops, in a core's cache. */
    private static final int PORTION = 1024;

    private final BlockedPoints points;
    private final int clusters;
    private final CenterScores scores;
    private final DistanceBounds bounds;
    private final ChangedLabels changes;
    private final int[] labels; // (N)
    private final int[][] doubtful; // (blocks)(BLOCK): whose scores are computed
    private final int[] count; // (blocks): how many
    private final int[] place; // (blocks): where those of a block begin among those computed
    private final int[] begin; // the blocks with which portions begin
    private final Queue<Settling> settlings = new ConcurrentLinkedQueue<>(); // for each thread
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
        begin = new int[points.blocks() + 1];
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
            bounds.begin(centers);
            for (int b = 0; b < count.length; b++) {
                count[b] = points.end(b) - b * BlockedPoints.BLOCK;
            }
        } else {
            bounds.next(centers);
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
        int some = 0;
        for (int i = 0; i < n; i++) {
            found[some] = i;
            some += bounds.doubt(start + i);
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
        int portions = 0;
        for (int b = first; b < next; b++) {
            if (b == first || place[b] + count[b] > place[begin[portions - 1]] + PORTION) {
                begin[portions++] = b;
            }
        }
        begin[portions] = next;
        Workers.each(
                portions,
                () ->
                        portion -> {
                            Settling kept = settlings.poll();
                            Settling settling = kept == null ? new Settling() : kept;
                            settling.settle(begin[portion], begin[portion + 1]);
                            settlings.add(settling);
                        });
    }

    private void choose(int b) {
        scores.choose(place[b], b * BlockedPoints.BLOCK, doubtful[b], count[b]);
    }

    /**
     * Finds the labels of the doubtful features of some blocks, at most a portion, by their scores.
     */
    private final class Settling {
        private final float[][] products = new float[clusters][PORTION];
        private final float[] least = new float[PORTION]; // of ||c||² / 2 - x . c
        private final float[] second = new float[PORTION];
        private final float[] norms = new float[PORTION];
        private final float[] nearest = new float[PORTION];
        private final float[] gap = new float[PORTION];
        private final float[] squares = new float[clusters];

        void settle(int first, int next) {
            int begin = place[first];
            int n = place[next - 1] + count[next - 1] - begin;
            Arrays.fill(least, 0, n, Float.POSITIVE_INFINITY);
            Arrays.fill(second, 0, n, Float.POSITIVE_INFINITY);
            for (int k = 0; k < clusters; k++) {
                scores.read(k, begin, products[k], n);
                VectorLoops.lowerTwo(least, second, products[k], scores.halfSquares[k], n);
            }
            for (int b = first; b < next; b++) {
                fetchNorms(b, place[b] - begin);
            }
            scores.bound(least, second, norms, nearest, gap, bounds.below, bounds.above, n);
            for (int b = first; b < next; b++) {
                decide(b, place[b] - begin);
            }
        }

        private void fetchNorms(int b, int at) {
            int start = b * BlockedPoints.BLOCK;
            if (all) {
                System.arraycopy(scores.norms, start, norms, at, count[b]);
            } else {
                for (int m = 0; m < count[b]; m++) {
                    norms[at + m] = scores.norms[start + doubtful[b][m]];
                }
            }
        }

        private void decide(int b, int at) {
            if (count[b] > 0) {
                bounds.forgetSpare(b);
            }
            for (int m = 0; m < count[b]; m++) {
                int i = all ? m : doubtful[b][m];
                int j = b * BlockedPoints.BLOCK + i;
                int k;
                if (gap[at + m] > 0) {
                    k = labels[j];
                    float lowest = least[at + m];
                    if (scores.halfSquares[k] - products[k][at + m] != lowest) {
                        k = 0;
                        while (scores.halfSquares[k] - products[k][at + m] != lowest) {
                            k++;
                        }
                    }
                    bounds.set(j, k, nearest[at + m], gap[at + m]);
                } else {
                    k = exactly(j);
                }
                changes.set(b, i, k);
            }
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
            float nearer = (float) Math.sqrt(squares[best]) * bounds.above;
            bounds.set(j, best, nearer, (float) Math.sqrt(other) * bounds.below - nearer);
            return best;
        }
    }
}
