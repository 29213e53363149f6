package org.slotwise.clustering;

import java.util.Arrays;
import org.slotwise.internal.Workers;

/**
 * Which centres features of few elements are nearest to, the first of equals: for {@link
 * BoundedStart}. Features that are near each other lie in a box; what no place of a box can be
 * nearest to is left out for all of them (Kanungo et al., "An efficient k-means clustering
 * algorithm", 2002, with boxes of one size instead of a tree).
 */
final class BoxedAssignment implements AssignmentStep {

    /** Of how many elements features are at most; what they lack is 0. */
    static final int ELEMENTS = 3;

    /** How many features a box has: measured; blocks are whole numbers of them. */
    private static final int BOX = 64;

    /** Far more than what rounding adds to a squared distance in relation to it. */
    private static final double ROUNDING = 2e-5;

    private static final int MIXED = -1;

    private final int clusters;
    private final ChangedLabels changes;
    private final int size; // N
    private final float[][] columns; // (boxes ELEMENTS)(BOX)
    private final double[] low; // (boxes, ELEMENTS)
    private final double[] high; // (boxes, ELEMENTS)
    private final int[] candidates; // (boxes, K): what some place of a box may be nearest to
    private final int[] candidateCount; // (boxes)
    private final double[] until; // (boxes): for how much movement of the centres that holds
    private final int[] only; // (boxes): the label of all features, or MIXED
    private final double[] centers; // (K, ELEMENTS)
    private double movement; // the sum over iterations of the largest

    /**
     * Prepares for an image.
     *
     * @param points in {@link SpatialOrder}
     */
    BoxedAssignment(BlockedPoints points, int clusters, ChangedLabels changes) {
        this.clusters = clusters;
        this.changes = changes;
        size = points.size;
        int boxes = (size + BOX - 1) / BOX;
        columns = new float[boxes * ELEMENTS][BOX];
        low = new double[boxes * ELEMENTS];
        high = new double[boxes * ELEMENTS];
        candidates = new int[Math.multiplyExact(boxes, clusters)];
        candidateCount = new int[boxes];
        until = new double[boxes];
        only = new int[boxes];
        centers = new double[clusters * ELEMENTS];
        for (int box = 0; box < boxes; box++) {
            for (int f = 0; f < points.featureSize; f++) {
                measure(points, box, f);
            }
        }
    }

    private void measure(BlockedPoints points, int box, int f) {
        float[] column = columns[box * ELEMENTS + f];
        float least = Float.POSITIVE_INFINITY;
        float most = Float.NEGATIVE_INFINITY;
        int n = end(box) - box * BOX;
        for (int i = 0; i < n; i++) {
            float v = points.rows[(box * BOX + i) * points.featureSize + f];
            column[i] = v;
            least = v < least ? v : least;
            most = v > most ? v : most;
        }
        low[box * ELEMENTS + f] = least;
        high[box * ELEMENTS + f] = most;
    }

    private int end(int box) {
        return Math.min(size, (box + 1) * BOX);
    }

    @Override
    public void begin() {
        Arrays.fill(only, MIXED);
        Arrays.fill(until, -1);
        movement = 0;
    }

    @Override
    public void moved(double[] by, boolean anew) {
        double most = 0;
        for (double m : by) {
            most = Math.max(most, m);
        }
        movement += most * (1 + ROUNDING);
    }

    @Override
    public void assign(float[][] newCenters) {
        for (int k = 0; k < clusters; k++) {
            for (int f = 0; f < newCenters[k].length; f++) {
                centers[k * ELEMENTS + f] = newCenters[k][f];
            }
        }
        Workers.each(
                (size + BlockedPoints.BLOCK - 1) / BlockedPoints.BLOCK,
                () -> new Finding()::assign);
    }

    /** Finds the labels of a block. */
    private final class Finding {
        private final double[] fromMiddle = new double[clusters];
        private final float[][] squares = new float[clusters][BOX];
        private final float[] least = new float[BOX];
        private final float[] second = new float[BOX];
        private final int[] placeOf = new int[clusters]; // where a cluster is among candidates

        void assign(int block) {
            int first = block * (BlockedPoints.BLOCK / BOX);
            int last = Math.min(only.length, first + BlockedPoints.BLOCK / BOX);
            for (int box = first; box < last; box++) {
                if (movement > until[box]) {
                    findCandidates(box);
                }
                if (candidateCount[box] == 1) {
                    takeOnly(block, box, candidates[box * clusters]);
                } else {
                    compare(block, box);
                }
            }
        }

        /** Finds the centres that some place of a box may be nearest to, in order. */
        private void findCandidates(int box) {
            int at = box * ELEMENTS;
            double x0 = low[at];
            double x1 = high[at];
            double y0 = low[at + 1];
            double y1 = high[at + 1];
            double z0 = low[at + 2];
            double z1 = high[at + 2];
            double x = (x0 + x1) / 2;
            double y = (y0 + y1) / 2;
            double z = (z0 + z1) / 2;
            int nearest = 0;
            for (int k = 0; k < clusters; k++) {
                fromMiddle[k] = square(k, x, y, z);
                nearest = fromMiddle[k] < fromMiddle[nearest] ? k : nearest;
            }
            double a = centers[nearest * ELEMENTS];
            double b = centers[nearest * ELEMENTS + 1];
            double c = centers[nearest * ELEMENTS + 2];
            double diagonal = (x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0) + (z1 - z0) * (z1 - z0);
            double reach = Math.sqrt(fromMiddle[nearest]) + Math.sqrt(diagonal);
            double margin = Double.POSITIVE_INFINITY;
            int first = box * clusters;
            int count = 0;
            for (int k = 0; k < clusters; k++) {
                // The corner that is nearest to k in relation to how near it is to the other.
                double u = centers[k * ELEMENTS] > a ? x1 : x0;
                double v = centers[k * ELEMENTS + 1] > b ? y1 : y0;
                double w = centers[k * ELEMENTS + 2] > c ? z1 : z0;
                double its = square(k, u, v, w);
                double other = square(nearest, u, v, w);
                double by = its - other - ROUNDING * (its + other + diagonal);
                if (by > 0) {
                    // By how much farther k is anywhere, at least; half of it is for rounding.
                    margin = Math.min(margin, by / (Math.sqrt(fromMiddle[k]) + reach));
                } else {
                    candidates[first + count++] = k;
                }
            }
            candidateCount[box] = count;
            until[box] = movement + margin / 4;
        }

        private double square(int k, double x, double y, double z) {
            double u = x - centers[k * ELEMENTS];
            double v = y - centers[k * ELEMENTS + 1];
            double w = z - centers[k * ELEMENTS + 2];
            return u * u + v * v + w * w;
        }

        private void takeOnly(int block, int box, int k) {
            if (only[box] != k) {
                only[box] = k;
                for (int j = box * BOX; j < end(box); j++) {
                    changes.set(block, j - block * BlockedPoints.BLOCK, k);
                }
            }
        }

        private void compare(int block, int box) {
            only[box] = MIXED;
            int first = box * clusters;
            int count = candidateCount[box];
            int at = box * ELEMENTS;
            Arrays.fill(least, Float.POSITIVE_INFINITY);
            Arrays.fill(second, Float.POSITIVE_INFINITY);
            for (int q = 0; q < count; q++) {
                placeOf[candidates[first + q]] = q;
                int k = candidates[first + q] * ELEMENTS;
                DistanceLoops.squares(
                        squares[q],
                        columns[at],
                        columns[at + 1],
                        columns[at + 2],
                        (float) centers[k],
                        (float) centers[k + 1],
                        (float) centers[k + 2]);
                DistanceLoops.lowerTwo(least, second, squares[q]);
            }
            for (int i = 0; box * BOX + i < end(box); i++) {
                int j = box * BOX + i;
                int label = changes.labels[j];
                int q = placeOf[label];
                boolean stays =
                        q < count
                                && candidates[first + q] == label
                                && squares[q][i] == least[i]
                                && least[i] < second[i];
                if (!stays) {
                    q = 0;
                    while (squares[q][i] != least[i]) { // the first of equals
                        q++;
                    }
                    changes.set(block, j - block * BlockedPoints.BLOCK, candidates[first + q]);
                }
            }
        }
    }
}
