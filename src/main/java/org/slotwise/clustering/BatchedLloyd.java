package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * {@link Lloyd} for all starts of all images together, as operations on a batch: on any device and
 * in any type.
 *
 * <p>Each round here first finds the labels, and then decides which starts have ended: some with
 * the round before, some, that need no new centres, with this one. What it takes to decide is read
 * from the device once in a round.
 */
final class BatchedLloyd {

    private final NDArray features; // (B, N, F)
    private final LloydCourse course;
    private final int clusters;
    private final long size; // N
    private final long featureSize; // F
    private final NDArray number; // (1, K): 0, 1, ... K - 1

    // What the rounds change; W starts in a row.
    private StartRows rows;
    private NDArray rowFeatures; // (rows, N, F)
    private NDArray centers; // (rows, W K, F)
    private NDArray previousLabels; // (rows W, N)
    private @Nullable NDArray previousMovement; // (rows W)
    private boolean[] beyond; // (rows W), whether the centres went beyond the means

    // Where the starts ended.
    private final NDList endedCenters = new NDList(); // (starts that ended together, K F)
    private final NDList endedLabels = new NDList(); // (starts that ended together, N)
    private final List<Integer> endedStarts = new ArrayList<>();
    private final long[] iterations; // by start
    private final double[] gains; // by start

    private BatchedLloyd(NDArray features, NDArray initial, LloydCourse course) {
        this.features = features;
        this.course = course;
        Shape s = initial.getShape();
        clusters = Math.toIntExact(s.get(2));
        featureSize = s.get(3);
        size = features.getShape().get(1);
        number = NearestCenters.numbers(features, clusters).expandDims(0);
        rows = StartRows.all(Math.toIntExact(s.get(0)), Math.toIntExact(s.get(1)));
        rowFeatures = features;
        centers = initial.reshape(s.get(0), s.get(1) * s.get(2), featureSize);
        previousLabels = Scalars.like(features, -1).broadcast(rows.places(), size);
        iterations = new long[rows.places()];
        gains = new double[rows.places()];
        beyond = new boolean[rows.places()];
    }

    /**
     * Iterates until every start has ended.
     *
     * @param features (B, N, F)
     * @param initial where to start, (B, R, K, F)
     * @param course how
     */
    static Lloyd.Result run(NDArray features, NDArray initial, LloydCourse course) {
        BatchedLloyd lloyd = new BatchedLloyd(features, initial, course);
        for (int t = 1; lloyd.rows.live() > 0; t++) {
            lloyd.round(t);
        }
        return lloyd.result();
    }

    private Lloyd.Result result() {
        long[] position = new long[iterations.length];
        for (int i = 0; i < position.length; i++) {
            position[endedStarts.get(i)] = i;
        }
        NDArray order = Ops.indices(features, position);
        return new Lloyd.Result(
                Ops.rows(NDArrays.concat(endedCenters, 0), order),
                Ops.rows(NDArrays.concat(endedLabels, 0), order),
                iterations,
                gains);
    }

    private void round(int t) {
        try (Scope scope = new Scope()) {
            Assignment found = new Assignment();
            Map<Integer, NDArray> repaired = repair(found);
            end(scope, found, repaired, t);
            if (rows.live() > 0) {
                // c = mean of the features of a cluster; NaN where it has none
                NDArray weight = Scalars.like(found.count, 1).div(found.count);
                NDArray next = found.nearest.matMul(rowFeatures).muli(weight);
                repaired.forEach((place, c) -> byStart(next).set(new NDIndex(place), c));
                NDArray moved = squaredNorms(next.sub(centers));
                beyond = new boolean[rows.places()];
                if (course.beyond > 0) {
                    goBeyond(next, moved, found, repaired.keySet(), t);
                }
                continueFrom(scope, next, found.labels, moved);
            }
        }
    }

    /** Which features belong to which centres, and what that means for the start at each place. */
    private final class Assignment {
        final NDArray nearest; // (rows, W K, N), ones and zeros
        final NDArray count; // (rows, W K, 1)
        final NDArray labels; // (rows W, N)

        // Read from the device, by place.
        final double[] counts; // K for each
        final double[] changes; // how much the labels changed
        final double[] gains;
        final double[] movement; // of the centres in the round before

        Assignment() {
            nearest = NearestCenters.scores(centers, rowFeatures);
            NDArray scores = nearest.reshape(rows.places(), clusters, size);
            NDArray highest = Ops.max(scores, 1);
            NDArray gain = highest.sum(new int[] {1, 2});
            NearestCenters.indicate(scores, highest);
            count = nearest.sum(new int[] {2}, true);
            labels = number.matMul(scores).squeeze(1);

            int n = rows.places();
            NDList toRead = new NDList(count.flatten(), changes(labels, previousLabels), gain);
            if (previousMovement != null) {
                toRead.add(previousMovement);
            }
            double[] read = Ops.read(NDArrays.concat(toRead));
            counts = Arrays.copyOf(read, n * clusters);
            changes = Arrays.copyOfRange(read, n * clusters, n * (clusters + 1));
            gains = Arrays.copyOfRange(read, n * (clusters + 1), n * (clusters + 2));
            movement = Arrays.copyOfRange(read, n * (clusters + 2), read.length);
        }

        /** Whether a cluster is empty, or a feature counts for two clusters. */
        boolean isOdd(int place) {
            double least = Double.POSITIVE_INFINITY;
            double total = 0;
            for (int k = place * clusters; k < (place + 1) * clusters; k++) {
                least = Math.min(least, counts[k]);
                total += counts[k];
            }
            return least < 1 || total != (double) size;
        }
    }

    /** How much the labels of each start changed: (starts), 0 if none did. */
    private static NDArray changes(NDArray labels, NDArray previous) {
        return labels.sub(previous).abs().sum(new int[] {1});
    }

    /** The sum over the centres of a start: (starts) for (..., F) each. */
    private NDArray squaredNorms(NDArray offsets) {
        return offsets.muli(offsets).reshape(-1, clusters * featureSize).sum(new int[] {1});
    }

    /**
     * Corrects what was found for starts with emptied clusters or ties. Takes as many of them
     * together as there are rows, so that their features take no more memory than those of the
     * rows.
     *
     * @return their new centres (K F) by place
     */
    private Map<Integer, NDArray> repair(Assignment found) {
        List<Integer> odd =
                IntStream.range(0, rows.places())
                        .filter(place -> rows.isLive(place) && found.isOdd(place))
                        .boxed()
                        .toList();
        Map<Integer, NDArray> repaired = new HashMap<>();
        for (int from = 0; from < odd.size(); from += rows.rows()) {
            List<Integer> places = odd.subList(from, Math.min(odd.size(), from + rows.rows()));
            NDArray at = Ops.indices(centers, longs(places));
            try (Scope scope = new Scope()) {
                EmptiedClusters emptied = emptiedClusters(found, places, at);
                NDArray changed = changes(emptied.labels, Ops.rows(previousLabels, at));
                double[] read = Ops.read(changed.concat(emptied.gain));
                NDArray next = byStart(emptied.centers);
                found.labels.set(new NDIndex("{}", at), emptied.labels);
                for (int i = 0; i < places.size(); i++) {
                    int place = places.get(i);
                    found.changes[place] = read[i];
                    if (read[i] == 0) {
                        // It ends with the new centres, and not with those that gave the labels.
                        found.gains[place] = read[places.size() + i];
                    }
                    repaired.put(place, scope.keep(next.get(i)));
                }
            }
        }
        return repaired;
    }

    private EmptiedClusters emptiedClusters(Assignment found, List<Integer> places, NDArray at) {
        long[] row = places.stream().mapToLong(rows::row).toArray();
        return new EmptiedClusters(
                rowsOf(rowFeatures, row),
                Ops.rows(byStart(found.nearest), at).reshape(-1, clusters, size),
                Ops.rows(byStart(centers), at).reshape(-1, clusters, featureSize));
    }

    /** Puts aside what starts came to that have ended, with this round or the one before. */
    private void end(Scope scope, Assignment found, Map<Integer, NDArray> repaired, int t) {
        List<Integer> ending = new ArrayList<>();
        Map<Integer, NDArray> corrections = new HashMap<>();
        for (int place = 0; place < rows.places(); place++) {
            if (!rows.isLive(place)) {
                continue;
            }
            boolean before =
                    t > 1
                            && (t > course.maxIter
                                    || found.movement[place]
                                            <= course.tolerance[rows.image(place)]);
            if (before || (found.changes[place] == 0 && !beyond[place])) {
                int start = rows.start(place);
                iterations[start] = before ? t - 1 : t;
                gains[start] = found.gains[place];
                if (!before && repaired.containsKey(place)) {
                    corrections.put(ending.size(), repaired.get(place));
                }
                endedStarts.add(start);
                ending.add(place);
                rows.end(place);
            }
        }
        if (!ending.isEmpty()) {
            NDArray at = Ops.indices(centers, longs(ending));
            NDArray last = scope.keep(Ops.rows(byStart(centers), at));
            corrections.forEach((i, c) -> last.set(new NDIndex(i), c));
            endedCenters.add(last);
            endedLabels.add(scope.keep(Ops.rows(found.labels, at)));
        }
    }

    /** Moves the centres of starts that are slow on from the means. */
    private void goBeyond(
            NDArray next, NDArray moved, Assignment found, Set<Integer> repaired, int t) {
        double[] movement = Ops.read(moved);
        double[] by = new double[rows.places()];
        for (int place = 0; place < by.length; place++) {
            double before = t == 1 ? Double.POSITIVE_INFINITY : found.movement[place];
            beyond[place] =
                    rows.isLive(place)
                            && found.changes[place] != 0
                            && !repaired.contains(place)
                            && course.goesBeyond(rows.image(place), t, movement[place], before);
            by[place] = beyond[place] ? course.beyond : 0;
        }
        NDArray weight =
                Scalars.of(
                        next.getManager(),
                        next.getDevice(),
                        by,
                        new Shape(by.length, 1),
                        next.getDataType());
        byStart(next).addi(byStart(next.sub(centers)).muli(weight));
    }

    /** Makes what a round came to what the next one begins with. */
    private void continueFrom(Scope scope, NDArray next, NDArray labels, NDArray moved) {
        StartRows.Packing packing = rows.packed(clusters);
        List.of(centers, previousLabels).forEach(NDArray::close);
        if (previousMovement != null) {
            previousMovement.close();
        }
        if (packing == null) {
            centers = scope.keep(next);
            previousLabels = scope.keep(labels);
            previousMovement = scope.keep(moved);
            return;
        }
        rows = packing.rows;
        boolean[] old = beyond;
        beyond = new boolean[rows.places()];
        for (int place = 0; place < beyond.length; place++) {
            beyond[place] = old[(int) packing.from[place]];
        }
        NDArray from = Ops.indices(next, packing.from);
        NDArray packed = Ops.rows(byStart(next), from);
        centers = scope.keep(packed.reshape(rows.rows(), -1, featureSize));
        previousLabels = scope.keep(Ops.rows(labels, from));
        previousMovement = scope.keep(moved.gather(from, 0));
        if (rowFeatures != features) {
            rowFeatures.close();
        }
        rowFeatures =
                rows.isOneRowForEach(features.getShape().get(0))
                        ? features
                        : scope.keep(rowsOf(features, rows.images()));
    }

    /** A view with one row for each start. */
    private NDArray byStart(NDArray array) {
        return array.reshape(-1, clusters * array.getShape().get(2));
    }

    /** Some images' features: (images, N, F). */
    private NDArray rowsOf(NDArray array, long[] images) {
        NDArray table = array.reshape(-1, size * featureSize);
        return Ops.rows(table, Ops.indices(array, images)).reshape(-1, size, featureSize);
    }

    private static long[] longs(List<Integer> numbers) {
        return numbers.stream().mapToLong(Integer::longValue).toArray();
    }
}
