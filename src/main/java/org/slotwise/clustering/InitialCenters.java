package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/** Draws the features that k-means starts from, for all images and several starts at once. */
final class InitialCenters {

    private final NDArray features; // (B, N, F)
    private final NDArray squares; // (B, N), ||x||²
    private final long images;
    private final long size;
    private final NDArray table; // (B N, F)
    private final NDArray firstRow; // (B, 1), where an image begins in the table
    private final NDArray last; // (), N - 1

    /**
     * Prepares for drawing.
     *
     * @param input what to draw from
     */
    InitialCenters(CentredFeatures input) {
        features = input.values;
        images = features.getShape().get(0);
        size = features.getShape().get(1);
        squares = input.squares;
        table = features.reshape(images * size, -1);
        firstRow = Ops.begins(features, Math.toIntExact(images), size).reshape(images, 1);
        last = Scalars.ofType(features, (double) (size - 1), DataType.INT64);
    }

    /**
     * Draws centres.
     *
     * @param init how
     * @param clusters K
     * @param starts R
     * @param draws where randomness comes from
     * @return (B, R, K, F)
     */
    NDArray draw(KMeansOptions.Init init, int clusters, int starts, UniformDraws draws) {
        return switch (init) {
            case RANDOM -> random(clusters, starts, draws);
            case K_MEANS_PLUS_PLUS ->
                    Ops.rows(
                            table,
                            Lloyd.inJava(features)
                                            && size >= BoundedLloyd.MANY
                                            && features.getShape().get(2) > BoxedAssignment.ELEMENTS
                                    ? loops(clusters, starts, draws)
                                    : operations(clusters, starts, draws));
        };
    }

    /** How many features are tried for each centre after the first. */
    static int trials(int clusters) {
        return 2 + (int) Math.log(clusters);
    }

    private NDArray random(int clusters, int starts, UniformDraws draws) {
        // The places of the K highest of N draws.
        NDList highest = draws.next(features, starts, size).topK(clusters, 2, true, true);
        return Ops.rows(table, highest.get(1).add(firstRow.expandDims(2)));
    }

    /** As {@link #operations}, for features that {@link PlusPlusLoops} are for. */
    NDArray loops(int clusters, int starts, UniformDraws draws) {
        int trials = trials(clusters);
        NDArray u = draws.next(features, starts, 1 + (clusters - 1L) * trials);
        float[] numbers = u.toFloatArray();
        int each = numbers.length / Math.toIntExact(u.getShape().get(0) * starts);
        long[] rows = new long[Math.toIntExact(images * starts * clusters)];
        for (int b = 0; b < images; b++) {
            int from = u.getShape().get(0) == 1 ? 0 : b * starts * each; // the same for all images
            float[][] own = new float[starts][];
            for (int r = 0; r < starts; r++) {
                own[r] = Arrays.copyOfRange(numbers, from + r * each, from + (r + 1) * each);
            }
            long[][] drawn = PlusPlusLoops.draw(features.get(b), squares.get(b), trials, own);
            for (int r = 0; r < starts; r++) {
                for (int k = 0; k < clusters; k++) {
                    rows[(b * starts + r) * clusters + k] = b * size + drawn[r][k];
                }
            }
        }
        return Ops.indices(features, rows).reshape(images, starts, clusters);
    }

    /** Draws the features that k-means++ starts from: (B, R, K), as rows of the table. */
    NDArray operations(int clusters, int starts, UniformDraws draws) {
        int trials = trials(clusters); // L
        NDArray u = draws.next(features, starts, 1 + (clusters - 1L) * trials);
        NDArray scaled = u.get(":, :, 0").mul(Scalars.like(u, (double) size));
        NDArray row = scaled.toType(DataType.INT64, false).minimum(last).add(firstRow); // (B, R)
        NDList chosen = new NDList(row);
        NDArray firstTrial = firstTrials(starts, trials);
        NDArray closest =
                atLeast0(squaredDistances(row)); // (B, R, N), to the closest centre so far
        for (int k = 1; k < clusters; k++) {
            long from = 1 + (k - 1L) * trials;
            try (Scope scope = new Scope()) {
                NDArray draw = u.get(":, :, {}:{}", from, from + trials); // (B, R, L)
                NDArray candidates = proportional(closest, draw);
                NDArray d = squaredDistances(candidates.reshape(images, -1));
                d = d.reshape(images, starts, trials, size).minimum(closest.expandDims(2));
                NDArray best = d.sum(new int[] {3}).argMin(2); // (B, R)
                chosen.add(scope.keep(candidates.gather(best.expandDims(2), 2).squeeze(2)));
                NDArray previous = closest;
                NDArray next = Ops.rows(d.reshape(-1, size), best.add(firstTrial));
                closest = scope.keep(atLeast0(next));
                previous.close();
            }
        }
        return NDArrays.stack(chosen, 2);
    }

    /** Where the trials of each start begin, among those of all: (B, R). */
    private NDArray firstTrials(int starts, int trials) {
        int count = Math.toIntExact(images * starts);
        return Ops.begins(features, count, trials).reshape(images, starts);
    }

    /**
     * Features drawn with a chance proportional to their distance: (B, R, L), as rows of the table.
     *
     * @param distance (B, R, N)
     * @param draw (B, R, L)
     */
    private NDArray proportional(NDArray distance, NDArray draw) {
        NDArray upTo = distance.cumSum(2);
        NDArray threshold = draw.mul(upTo.get(":, :, {}:", size - 1)).expandDims(3);
        // How many are below: each counts -1, each above +1. Faster than a comparison.
        NDArray sides = upTo.expandDims(2).sub(threshold).signi().sum(new int[] {3}); // (B, R, L)
        NDArray half = Scalars.like(sides, 0.5);
        NDArray below = Scalars.like(sides, (double) size).sub(sides).mul(half);
        return below.toType(DataType.INT64, false).minimum(last).add(firstRow.expandDims(2));
    }

    /**
     * ||x - c||²: (B, M, N), up to rounding, which may leave a little less than nothing.
     *
     * @param row which features are the centres, (B, M), as rows of the table
     */
    private NDArray squaredDistances(NDArray row) {
        NDArray c = Ops.rows(table, row); // (B, M, F)
        NDArray d = c.mul(Scalars.like(c, -2)).matMul(features.swapAxes(1, 2));
        d.addi(squares.expandDims(1));
        return d.addi(Ops.rows(squares.reshape(-1, 1), row));
    }

    private static NDArray atLeast0(NDArray x) {
        return x.maximum(Scalars.like(x, 0));
    }
}
