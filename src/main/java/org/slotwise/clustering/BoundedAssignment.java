package org.slotwise.clustering;

import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slotwise.internal.Workers;

/**
 * Which centres features are nearest to, the first of equals: for {@link BoundedStart}. Where
 * {@link DistanceBounds} do not say that a label stays, all scores of the feature are computed,
 * those of many features together ({@link CenterScores}); and where scores are too close to tell by
 * their rounding, all distances.
 */
final class BoundedAssignment implements AssignmentStep {

    private static final int TOGETHER = CenterProducts.TOGETHER;

    /** How many blocks a thread takes at once where few of their features are doubtful. */
    private static final int BLOCKS = 16;

    private final BlockedPoints points;
    private final int clusters;
    private final CenterScores scores;
    private final Supplier<? extends CenterProducts> products; // for each thread
    private final DistanceBounds bounds;
    private final ChangedLabels changes;
    private final int[] labels; // (N)
    private final Queue<Settling> settlings = new ConcurrentLinkedQueue<>(); // for each thread
    private float[][] centers = {}; // (K)(F)
    private boolean all; // whether all scores are computed

    /**
     * Prepares for an image.
     *
     * @param points its features
     * @param norms ||x|| of each, (N)
     * @param products makes what multiplies them with centres, for each thread
     * @param changes whose labels are set
     */
    BoundedAssignment(
            BlockedPoints points,
            float[] norms,
            Supplier<? extends CenterProducts> products,
            int clusters,
            ChangedLabels changes) {
        this.points = points;
        this.products = products;
        this.clusters = clusters;
        this.changes = changes;
        scores = new CenterScores(norms, points.featureSize, clusters);
        labels = changes.labels;
        bounds = new DistanceBounds(points, clusters);
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
            int parts = (points.size + TOGETHER - 1) / TOGETHER;
            Workers.each(parts, () -> part -> with(kept -> kept.settleAll(part)));
            bounds.measured();
        } else {
            bounds.next(centers);
            int tasks = (points.blocks() + BLOCKS - 1) / BLOCKS;
            Workers.each(tasks, () -> task -> with(kept -> kept.settleDoubtful(task * BLOCKS)));
        }
    }

    private void with(Consumer<Settling> task) {
        Settling kept = settlings.poll();
        Settling settling = kept == null ? new Settling() : kept;
        task.accept(settling);
        settlings.add(settling);
    }

    /** Finds the labels of some features by their scores. */
    private final class Settling {
        private final int[] features = new int[TOGETHER + 1]; // which
        private final CenterProducts multiply = BoundedAssignment.this.products.get();
        private final float[][] products = new float[clusters][TOGETHER];
        private final float[] least = new float[TOGETHER]; // of ||c||² / 2 - x . c
        private final float[] second = new float[TOGETHER];
        private final float[] norms = new float[TOGETHER];
        private final float[] nearest = new float[TOGETHER];
        private final float[] gap = new float[TOGETHER];
        private final float[] squares = new float[clusters];

        /** Finds the labels of a part, as {@link CenterProducts#ofPart} has them. */
        void settleAll(int part) {
            int first = part * TOGETHER;
            int n = Math.min(TOGETHER, points.size - first);
            for (int m = 0; m < n; m++) {
                features[m] = first + m;
            }
            multiply.ofPart(part, centers, products);
            settle(n);
        }

        /**
         * Finds the labels of those features of some blocks whose own centre may not be the nearest
         * any more.
         */
        void settleDoubtful(int firstBlock) {
            int last = Math.min(points.blocks(), firstBlock + BLOCKS);
            int n = 0;
            for (int block = firstBlock; block < last; block++) {
                if (!bounds.allStay(block)) {
                    int before = n;
                    for (int j = block * BlockedPoints.BLOCK; j < points.end(block); j++) {
                        features[n] = j;
                        n += bounds.doubt(j);
                    }
                    if (n == before) {
                        bounds.measureSpare(block);
                    } else {
                        bounds.forgetSpare(block);
                    }
                    if (n > TOGETHER - BlockedPoints.BLOCK) {
                        settleSome(n);
                        n = 0;
                    }
                }
            }
            settleSome(n);
        }

        private void settleSome(int n) {
            if (n > 0) {
                multiply.ofSome(features, n, centers, products);
                settle(n);
            }
        }

        private void settle(int n) {
            Arrays.fill(least, 0, n, Float.POSITIVE_INFINITY);
            Arrays.fill(second, 0, n, Float.POSITIVE_INFINITY);
            for (int k = 0; k < clusters; k++) {
                DistanceLoops.lowerTwo(least, second, products[k], scores.halfSquares[k], n);
            }
            for (int m = 0; m < n; m++) {
                norms[m] = scores.norms[features[m]];
            }
            scores.bound(least, second, norms, nearest, gap, bounds.below, bounds.above, n);
            for (int m = 0; m < n; m++) {
                decide(m);
            }
        }

        private void decide(int m) {
            int j = features[m];
            int k;
            if (gap[m] > 0) {
                k = labels[j];
                float lowest = least[m];
                if (scores.halfSquares[k] - products[k][m] != lowest) {
                    k = 0;
                    while (scores.halfSquares[k] - products[k][m] != lowest) {
                        k++;
                    }
                }
                bounds.set(j, k, nearest[m], gap[m]);
            } else {
                k = exactly(j);
            }
            changes.set(j / BlockedPoints.BLOCK, j % BlockedPoints.BLOCK, k);
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
