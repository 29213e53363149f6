package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/** Draws the features that k-means starts from, for all images and several starts at once. */
final class InitialCenters {

    private final NDArray features; // (B, N, F)
    private final NDArray squares; // (B, 1, N), ||x||²
    private final long images;
    private final long size;
    private final NDArray table; // (B N, F)
    private final NDArray firstRow; // (B, 1), where an image begins in the table
    private final NDArray last; // (1), N - 1

    /**
     * Prepares for drawing.
     *
     * @param features (B, N, F)
     */
    InitialCenters(NDArray features) {
        this.features = features;
        images = features.getShape().get(0);
        size = features.getShape().get(1);
        squares = features.square().sum(new int[] {2}).expandDims(1);
        table = features.reshape(images * size, -1);
        long[] begin = new long[Math.toIntExact(images)];
        for (int b = 0; b < begin.length; b++) {
            begin[b] = b * size;
        }
        firstRow = Ops.indices(features, begin).reshape(images, 1);
        last = Ops.indices(features, size - 1);
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
            case K_MEANS_PLUS_PLUS -> plusPlus(clusters, starts, draws);
        };
    }

    private NDArray random(int clusters, int starts, UniformDraws draws) {
        // The places of the K highest of N draws.
        NDList highest = draws.next(features, starts, size).topK(clusters, 2, true, true);
        return Ops.rows(table, highest.get(1).add(firstRow.expandDims(2)));
    }

    private NDArray plusPlus(int clusters, int starts, UniformDraws draws) {
        int trials = 2 + (int) Math.log(clusters); // L
        NDArray u = draws.next(features, starts, 1 + (clusters - 1L) * trials);
        NDArray scaled = u.get(":, :, 0").mul(Scalars.like(u, (double) size));
        NDArray row = scaled.toType(DataType.INT64, false).minimum(last).add(firstRow); // (B, R)
        NDList chosen = new NDList(row);
        NDArray closest = squaredDistances(row); // (B, R, N), to the closest of the centres so far
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
                closest = scope.keep(pick(d, best));
                previous.close();
            }
        }
        return Ops.rows(table, NDArrays.stack(chosen, 2));
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
        NDArray below = upTo.expandDims(2).lte(threshold); // (B, R, L, N)
        NDArray place = below.sum(new int[] {3}).minimum(last);
        return place.add(firstRow.expandDims(2));
    }

    /**
     * ||x - c||²: (B, M, N).
     *
     * @param row which features are the centres, (B, M), as rows of the table
     */
    private NDArray squaredDistances(NDArray row) {
        NDArray c = Ops.rows(table, row); // (B, M, F)
        NDArray d = c.mul(Scalars.like(c, -2)).matMul(features.swapAxes(1, 2));
        d.addi(squares).addi(c.square().sum(new int[] {2}, true));
        // Rounding may leave a little less than nothing.
        return d.maximum(Scalars.like(d, 0));
    }

    /** The distances (B, R, N) for the best (B, R) of the trials (B, R, L, N). */
    private NDArray pick(NDArray distances, NDArray best) {
        long n = distances.getShape().get(3);
        long trials = distances.getShape().get(2);
        long[] begin = new long[Math.toIntExact(best.size())];
        for (int i = 0; i < begin.length; i++) {
            begin[i] = i * trials;
        }
        NDArray row = Ops.indices(best, begin).reshape(best.getShape()).add(best);
        return Ops.rows(distances.reshape(-1, n), row);
    }
}
