package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Ops;
import org.slotwise.matching.Assignment;
import org.slotwise.matching.HungarianMatching;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;

/**
 * One picture in Java's memory, whose true and found classes are matched: for {@link GnmScores}.
 */
final class MatchedScene {

    private static final double SMALL = 0.01;
    private static final double HALF = 0.5;

    private final double[] x;
    private final double[] y;
    private final double[] presence;

    /** For each pixel its true class, its class among background and cells, and among cells. */
    private final int[] truth;

    private final int[] found;
    private final int[] objects;

    /** How many classes both sides have, the missing ones empty. */
    private final int classes;

    private final double[][] shared;
    private final double[] inTruth;
    private final double[] inFound;

    /**
     * Counts pixels.
     *
     * @param x the picture (C S S)
     * @param y as it was drawn again
     * @param trueMasks (T S S)
     * @param masks (N S S)
     * @param presence (N)
     * @param channels C
     */
    MatchedScene(
            double[] x,
            double[] y,
            double[] trueMasks,
            double[] masks,
            double[] presence,
            int channels) {
        this.x = x;
        this.y = y;
        this.presence = presence;
        int pixels = x.length / channels;
        int cells = presence.length;
        int known = trueMasks.length / pixels;
        truth = largest(trueMasks, known, pixels);
        objects = largest(masks, cells, pixels);
        found = new int[pixels];
        for (int i = 0; i < pixels; i++) {
            double rest = 1;
            for (int n = 0; n < cells; n++) {
                rest -= masks[n * pixels + i];
            }
            found[i] = rest >= masks[objects[i] * pixels + i] ? 0 : 1 + objects[i];
        }
        classes = Math.max(cells + 1, known);
        shared = new double[classes][classes];
        inTruth = new double[classes];
        inFound = new double[classes];
        for (int i = 0; i < pixels; i++) {
            shared[truth[i]][found[i]]++;
            inTruth[truth[i]]++;
            inFound[found[i]]++;
        }
    }

    private static int[] largest(double[] maps, int classes, int pixels) {
        int[] largest = new int[pixels];
        for (int i = 0; i < pixels; i++) {
            for (int c = 1; c < classes; c++) {
                if (maps[c * pixels + i] > maps[largest[i] * pixels + i]) {
                    largest[i] = c;
                }
            }
        }
        return largest;
    }

    /** The scores; arrays on the way are made in a manager, and end with it. */
    GnmScores score(NDManager manager) {
        double[] costs = new double[classes * classes];
        for (int i = 0; i < costs.length; i++) {
            costs[i] = -overlap(i / classes, i % classes);
        }
        NDArray matrix = manager.create(costs, new Shape(1, classes, classes));
        Assignment matched = HungarianMatching.match(matrix);
        double[] rows = Ops.read(matched.rows());
        double[] columns = Ops.read(matched.columns());
        double pairs = -1;
        double background = 0;
        double error = 0;
        double overlap = 0;
        double dice = 0;
        double union = 0;
        for (int i = 0; i < classes; i++) {
            int t = (int) rows[i];
            int p = (int) columns[i];
            pairs += isPresent(p) || inTruth[t] > 0 ? 1 : 0;
            if (t == 0) {
                background = cut(t, p);
                continue;
            }
            double both = Math.max(1, inTruth[t] + inFound[p]);
            error += cut(t, p);
            overlap += overlap(t, p);
            dice += 2 * shared[t][p] / both;
            union += shared[t][p] / (both - shared[t][p]);
        }
        double per = pairs > 0 ? pairs : Double.NaN;
        return new GnmScores(
                squaredError(),
                background,
                error / per,
                overlap / per,
                dice / per,
                union / per,
                ari(manager, found, Background.COUNTED),
                ari(manager, found, Background.LEFT_OUT),
                ari(manager, objects, Background.LEFT_OUT),
                count(),
                trueCount());
    }

    private double overlap(int t, int p) {
        return inTruth[t] == 0 || inFound[p] == 0
                ? 0
                : (shared[t][p] + SMALL) / (inTruth[t] + inFound[p] + SMALL);
    }

    /** Whether a found class is the background, or a cell with an object. */
    private boolean isPresent(int p) {
        return p == 0 || (p <= presence.length && presence[p - 1] > HALF);
    }

    private double squaredError() {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += (y[i] - x[i]) * (y[i] - x[i]);
        }
        return sum;
    }

    /** Squared error of what both masks cut out. */
    private double cut(int t, int p) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            double own = truth[i % truth.length] == t ? x[i] : 0;
            double made = found[i % found.length] == p ? y[i] : 0;
            sum += (made - own) * (made - own);
        }
        return sum;
    }

    private int count() {
        int count = 0;
        for (double z : presence) {
            count += z > HALF ? 1 : 0;
        }
        return count;
    }

    private int trueCount() {
        int count = 0;
        for (int t = 1; t < classes; t++) {
            count += inTruth[t] > 0 ? 1 : 0;
        }
        return count;
    }

    private double ari(NDManager manager, int[] predicted, Background background) {
        Shape one = new Shape(1, truth.length);
        var scores =
                new AdjustedRandIndex(background)
                        .score(manager.create(truth, one), manager.create(predicted, one));
        return Ops.read(scores.values().toType(DataType.FLOAT64, false))[0];
    }
}
