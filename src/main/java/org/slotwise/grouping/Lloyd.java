package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * Lloyd's iterations from several starts for each image of a batch, all together, each until it has
 * converged; by the rules of scikit-learn.
 *
 * <p>A start ends when no label has changed since the iteration before, or when its centres have
 * hardly moved, or after a number of iterations. As long as no cluster is emptied, unchanged labels
 * mean unmoved centres, so that only the movement is looked at. It is read from the device once in
 * an iteration, with the sizes of the clusters.
 */
final class Lloyd {

    private final NDArray features; // (B, N, F)
    private final double[] tolerance; // by image
    private final int maxIter;
    private final int clusters;
    private final long size; // N
    private final long featureSize; // F

    // What the iterations change.
    private StartRows rows;
    private NDArray rowFeatures; // (rows, N, F)
    private NDArray centers; // (rows, W K, F), W starts in a row
    private Map<Integer, NDArray> previousLabels = Map.of(); // (N) by start, where repaired

    // Where the starts ended.
    private final NDList endedCenters = new NDList(); // (starts that ended together, K F)
    private final List<Integer> endedStarts = new ArrayList<>();
    private final long[] iterations; // by start
    private final Map<Integer, NDArray> ownLabels = new HashMap<>();

    private Lloyd(NDArray features, NDArray initial, double[] tolerance, int maxIter) {
        this.features = features;
        this.tolerance = tolerance;
        this.maxIter = maxIter;
        Shape s = initial.getShape();
        clusters = Math.toIntExact(s.get(2));
        featureSize = s.get(3);
        size = features.getShape().get(1);
        rows = StartRows.all(Math.toIntExact(s.get(0)), Math.toIntExact(s.get(1)));
        rowFeatures = features;
        centers = initial.reshape(s.get(0), s.get(1) * s.get(2), featureSize);
        iterations = new long[rows.live()];
    }

    /**
     * Where the starts ended. Start r of image b has the number b R + r.
     *
     * @param centers (B, R, K, F)
     * @param iterations how many each start took
     * @param labels (N) int64, for starts whose last labels are not those that their centres give:
     *     an emptied cluster took a feature over in the very iteration that changed no label
     */
    record Result(NDArray centers, List<Long> iterations, Map<Integer, NDArray> labels) {}

    /**
     * Iterates until every start has ended.
     *
     * @param features (B, N, F)
     * @param initial where to start, (B, R, K, F)
     * @param tolerance for each image the sum of squared movements at which a start ends
     * @param maxIter after how many iterations a start ends at the latest
     */
    static Result run(NDArray features, NDArray initial, double[] tolerance, int maxIter) {
        Lloyd lloyd = new Lloyd(features, initial, tolerance, maxIter);
        for (int t = 1; lloyd.rows.live() > 0; t++) {
            lloyd.iterate(t);
        }
        return lloyd.result(initial.getShape());
    }

    private void iterate(int t) {
        try (Scope scope = new Scope()) {
            NDArray nearest = NearestCenters.scores(centers, rowFeatures); // (rows, W K, N)
            NearestCenters.indicate(nearest.reshape(rows.rows(), rows.width(), clusters, size));
            NDArray count = nearest.sum(new int[] {2}, true); // (rows, W K, 1)
            NDArray next = nearest.matMul(rowFeatures).divi(count); // NaN where emptied
            NDArray moved = movement(next, centers);
            double[] read = Ops.read(count.flatten().concat(moved));

            int places = Math.toIntExact(moved.size());
            double[] movement = new double[places];
            System.arraycopy(read, places * clusters, movement, 0, places);
            boolean[] settled = new boolean[places];
            repair(scope, placesToRepair(read), nearest, next, movement, settled);

            List<Integer> ending = new ArrayList<>();
            for (int place = 0; place < places; place++) {
                if (rows.isLive(place)
                        && (t == maxIter
                                || settled[place]
                                || movement[place] <= tolerance[rows.image(place)])) {
                    iterations[rows.start(place)] = t;
                    ending.add(place);
                }
            }
            end(scope, next, ending);
            if (rows.live() > 0) {
                continueFrom(scope, next);
            }
        }
    }

    /** Squared distances of the centres of each start, summed: (starts) for (..., F) each. */
    private NDArray movement(NDArray next, NDArray old) {
        NDArray squares = next.sub(old).square();
        return squares.reshape(-1, clusters * featureSize).sum(new int[] {1});
    }

    /** Running starts with an emptied cluster, or with a feature that counts for two clusters. */
    private List<Integer> placesToRepair(double[] counts) {
        List<Integer> result = new ArrayList<>();
        for (int place = 0; place < rows.places(); place++) {
            double least = Double.POSITIVE_INFINITY;
            double total = 0;
            for (int k = 0; k < clusters; k++) {
                least = Math.min(least, counts[place * clusters + k]);
                total += counts[place * clusters + k];
            }
            if (rows.isLive(place) && (least < 1 || total != size)) {
                result.add(place);
            }
        }
        return result;
    }

    /**
     * Corrects the new centres of some starts, how far they moved, and whether no label changed.
     * Takes as many starts together as there are rows, so that their features take no more memory
     * than those of the rows.
     */
    private void repair(
            Scope scope,
            List<Integer> places,
            NDArray nearest,
            NDArray next,
            double[] movement,
            boolean[] settled) {
        Map<Integer, NDArray> labels = new HashMap<>();
        for (int from = 0; from < places.size(); from += rows.rows()) {
            List<Integer> group = places.subList(from, Math.min(places.size(), from + rows.rows()));
            try (Scope inner = new Scope()) {
                NDArray at = Ops.indices(next, longs(group));
                long[] row = group.stream().mapToLong(rows::row).toArray();
                NDArray old = Ops.rows(byStart(centers), at).reshape(-1, clusters, featureSize);
                EmptiedClusters repaired =
                        new EmptiedClusters(
                                rowsOf(rowFeatures, row),
                                Ops.rows(byStart(nearest), at).reshape(-1, clusters, size),
                                old);
                byStart(next).set(new NDIndex("{}", at), byStart(repaired.centers));

                double[] moved = Ops.read(movement(repaired.centers, old));
                double[] moves = Ops.read(repaired.moves);
                double[] changes = Ops.read(changes(group, repaired.labels));
                for (int i = 0; i < group.size(); i++) {
                    int place = group.get(i);
                    int start = rows.start(place);
                    movement[place] = moved[i];
                    settled[place] = changes[i] == 0;
                    NDArray own = scope.keep(inner.keep(repaired.labels.get(i)));
                    labels.put(start, own);
                    if (settled[place] && moves[i] > 0) {
                        ownLabels.put(start, own);
                    }
                }
            }
        }
        previousLabels = labels;
    }

    /** How many labels of each start are not those of the iteration before: (starts). */
    private NDArray changes(List<Integer> places, NDArray labels) {
        NDArray none = Scalars.ofType(labels, -1, DataType.INT64).broadcast(size);
        NDList before = new NDList();
        for (int place : places) {
            before.add(previousLabels.getOrDefault(rows.start(place), none));
        }
        return labels.neq(NDArrays.stack(before)).sum(new int[] {1});
    }

    private void end(Scope scope, NDArray next, List<Integer> ending) {
        if (!ending.isEmpty()) {
            endedCenters.add(scope.keep(Ops.rows(byStart(next), Ops.indices(next, longs(ending)))));
            for (int place : ending) {
                endedStarts.add(rows.start(place));
                rows.end(place);
            }
        }
    }

    private void continueFrom(Scope scope, NDArray next) {
        StartRows.Packing packing = rows.packed(clusters);
        centers.close();
        if (packing == null) {
            centers = scope.keep(next);
            return;
        }
        rows = packing.rows;
        NDArray packed = Ops.rows(byStart(next), Ops.indices(next, packing.from));
        centers = scope.keep(packed.reshape(rows.rows(), -1, featureSize));
        if (rowFeatures != features) {
            rowFeatures.close();
        }
        rowFeatures = scope.keep(rowsOf(features, packing.images()));
    }

    private Result result(Shape shape) {
        long[] position = new long[iterations.length];
        for (int i = 0; i < position.length; i++) {
            position[endedStarts.get(i)] = i;
        }
        NDArray all = NDArrays.concat(endedCenters, 0);
        NDArray inOrder = Ops.rows(all, Ops.indices(all, position));
        return new Result(
                inOrder.reshape(shape), Arrays.stream(iterations).boxed().toList(), ownLabels);
    }

    /** A view with one row for each start. */
    private NDArray byStart(NDArray array) {
        Shape s = array.getShape();
        return array.reshape(s.get(0) * s.get(1) / clusters, clusters * s.get(2));
    }

    /** Some images' features: (rows, N, F). */
    private NDArray rowsOf(NDArray array, long[] images) {
        NDArray table = array.reshape(-1, size * featureSize);
        return Ops.rows(table, Ops.indices(array, images)).reshape(-1, size, featureSize);
    }

    private static long[] longs(List<Integer> numbers) {
        return numbers.stream().mapToLong(Integer::longValue).toArray();
    }
}
