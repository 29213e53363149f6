package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/** k-means from given centres, or from the best of several starts that are drawn. */
final class KMeans {

    /** How many scores of features by centres are held at once: 256 MB of float32. */
    static final long SCORES = 1L << 26;

    private final CentredFeatures input;
    private final NDArray features; // (B, N, F)
    private final int images;
    private final int clusters;
    private final int starts;
    private final KMeansOptions options;
    private final int together; // starts of an image that are held at once

    // The best start of each image so far.
    private final double[] bestGain;
    private final int[] best;
    private final long[] iterations;
    private final Map<Integer, NDArray> ownLabels = new HashMap<>(); // by image

    private KMeans(CentredFeatures input, int clusters, KMeansOptions options, long scores) {
        this.input = input;
        this.clusters = clusters;
        this.options = options;
        features = input.values;
        Shape shape = features.getShape();
        images = Math.toIntExact(shape.get(0));
        starts = input.centers == null ? options.nInit() : 1;
        long each = shape.get(0) * clusters * shape.get(1);
        together = (int) Math.max(1, Math.min(starts, scores / each));
        bestGain = new double[images];
        Arrays.fill(bestGain, Double.NEGATIVE_INFINITY);
        best = new int[images];
        iterations = new long[images];
    }

    /**
     * What was found.
     *
     * @param features what was clustered
     * @param centers (B, K, F), of the centred features
     * @param labels (B, N) int64
     * @param iterations (B) int64
     */
    record Clusters(CentredFeatures features, NDArray centers, NDArray labels, NDArray iterations) {

        /** The squared distances of the features to their centres, summed: (B). */
        NDArray inertia() {
            Shape s = centers.getShape();
            long[] begin = new long[Math.toIntExact(s.get(0))];
            Arrays.setAll(begin, b -> b * s.get(1));
            NDArray row = labels.add(Ops.indices(labels, begin).expandDims(1));
            NDArray own = Ops.rows(centers.reshape(-1, s.get(2)), row); // (B, N, F)
            return own.subi(features.values).square().sum(new int[] {1, 2});
        }
    }

    /**
     * Clusters.
     *
     * @param input what to cluster, with the centres to start from if they are given
     * @param clusters K
     * @param options how
     * @param scores how many scores of features by centres may be held at once: as long as there
     *     are more, fewer starts run together, but at least one of each image
     */
    static Clusters run(CentredFeatures input, int clusters, KMeansOptions options, long scores) {
        return new KMeans(input, clusters, options, scores).run();
    }

    private Clusters run() {
        UniformDraws draws = new UniformDraws(options.seed());
        NDList all = new NDList();
        for (int first = 0; first < starts; first += together) {
            int count = Math.min(together, starts - first);
            try (Scope scope = new Scope()) {
                NDArray given = input.centers;
                NDArray initial =
                        given == null
                                ? new InitialCenters(features)
                                        .draw(options.init(), clusters, count, draws)
                                : given.expandDims(1);
                Lloyd.Result result = Lloyd.run(features, initial, tolerance(), options.maxIter());
                compare(scope, result, first, count);
                all.add(scope.keep(result.centers()));
            }
        }
        NDArray table = NDArrays.concat(all, 1).reshape((long) images * starts, -1);
        long[] rows = new long[images];
        Arrays.setAll(rows, b -> (long) b * starts + best[b]);
        NDArray centers = Ops.rows(table, Ops.indices(table, rows));
        centers = centers.reshape(images, clusters, -1);
        return new Clusters(input, centers, labels(centers), Ops.indices(centers, iterations));
    }

    private double[] tolerance() {
        return Arrays.stream(input.variance).map(v -> v * options.tol()).toArray();
    }

    /** Replaces the best start of each image where a new one is better. */
    private void compare(Scope scope, Lloyd.Result result, int first, int count) {
        double[] gain = starts == 1 ? new double[images] : gains(result);
        for (int b = 0; b < images; b++) {
            for (int r = 0; r < count; r++) {
                int start = b * count + r;
                if (gain[start] > bestGain[b]) {
                    bestGain[b] = gain[start];
                    best[b] = first + r;
                    iterations[b] = result.iterations().get(start);
                    ownLabels.remove(b);
                    NDArray own = result.labels().get(start);
                    if (own != null) {
                        ownLabels.put(b, own);
                    }
                }
            }
        }
        ownLabels.values().forEach(scope::keep);
    }

    /**
     * How much lower than sum ||x||² the inertia of each start is, halved: the sum over features of
     * x . c - ||c||² / 2.
     */
    private double[] gains(Lloyd.Result result) {
        Shape s = result.centers().getShape(); // (B, R, K, F)
        NDArray scores =
                NearestCenters.scores(
                        result.centers().reshape(s.get(0), s.get(1) * s.get(2), s.get(3)),
                        features);
        long n = features.getShape().get(1);
        NDArray byStart = scores.reshape(s.get(0) * s.get(1), s.get(2), n);
        double[] gains = Ops.read(Ops.max(byStart, 1).sum(new int[] {1, 2}));
        result.labels()
                .forEach(
                        (start, labels) -> {
                            NDArray own =
                                    NearestCenters.oneHot(
                                            labels.expandDims(0), s.get(2), scores.getDataType());
                            gains[start] = Ops.read(own.mul(byStart.get(start)).sum())[0];
                        });
        return gains;
    }

    private NDArray labels(NDArray centers) {
        NDArray nearest = NearestCenters.indicate(NearestCenters.scores(centers, features));
        NDArray labels = NearestCenters.labels(NearestCenters.firstOnly(nearest));
        ownLabels.forEach((image, own) -> labels.set(new NDIndex(image), own));
        return labels;
    }
}
