package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/** k-means from given centres, or from the best of several starts that are drawn. */
final class KMeansStarts {

    /** How many scores of features by centres are held at once: 256 MB of float32. */
    static final long SCORES = 1L << 26;

    /** How many numbers are summed at once: they stay in a processor's cache. */
    private static final long TOGETHER = 1L << 19;

    private final CentredFeatures input;
    private final NDArray features; // (B, N, F)
    private final int images;
    private final int clusters;
    private final int starts;
    private final KMeansOptions options;
    private final int together; // starts of an image that are held at once

    // The best start of each image so far.
    private final double[] gain;
    private final long[] best;
    private final long[] iterations;

    private KMeansStarts(CentredFeatures input, int clusters, KMeansOptions options, long scores) {
        this.input = input;
        this.clusters = clusters;
        this.options = options;
        features = input.values;
        Shape shape = features.getShape();
        images = Math.toIntExact(shape.get(0));
        starts = input.centers == null ? options.nInit() : 1;
        long each = shape.get(0) * clusters * shape.get(1);
        together = (int) Math.max(1, Math.min(starts, scores / each));
        gain = new double[images];
        Arrays.fill(gain, Double.NEGATIVE_INFINITY);
        best = new long[images];
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

        /**
         * The centres (B, K, F) where the features were before they were centred, in their type.
         */
        NDArray centersAsGiven(NDArray given) {
            return centers.add(features.origin).toType(given.getDataType(), false);
        }

        /** The squared distances of the features to their centres, summed: (B). */
        @SuppressWarnings("try") // the scope works by being open
        NDArray inertia() {
            Shape s = centers.getShape();
            NDArray begin = Ops.begins(labels, Math.toIntExact(s.get(0)), s.get(1));
            NDArray row = labels.add(begin.expandDims(1));
            NDArray table = centers.reshape(-1, s.get(2));
            long size = labels.getShape().get(1);
            long step = Math.max(1, TOGETHER / (s.get(0) * s.get(2)));
            NDArray sum = Scalars.full(features.values, new Shape(s.get(0)), 0, DataType.FLOAT64);
            for (long from = 0; from < size; from += step) {
                String part = ":, " + from + ":" + Math.min(size, from + step);
                try (Scope scope = new Scope()) {
                    NDArray own = Ops.rows(table, row.get(part)); // (B, step, F)
                    NDArray squares = own.subi(features.values.get(part)).square();
                    sum.addi(squares.sum(new int[] {1, 2}).toType(DataType.FLOAT64, false));
                }
            }
            return sum;
        }
    }

    /**
     * Clusters, in float64 where float32 is not enough.
     *
     * @param input what to cluster, with the centres to start from if they are given
     * @param clusters K
     * @param options how
     * @param scores how many scores of features by centres may be held at once: as long as there
     *     are more, fewer starts run together, but at least one of each image
     */
    static Clusters run(CentredFeatures input, int clusters, KMeansOptions options, long scores) {
        Clusters found = inOneType(input, clusters, options, scores);
        return TightClusters.needFloat64(found)
                ? inOneType(input.wide(), clusters, options, scores)
                : found;
    }

    private static Clusters inOneType(
            CentredFeatures input, int clusters, KMeansOptions options, long scores) {
        int sample = options.sample() == 0 ? 0 : Math.max(options.sample(), clusters);
        boolean sampled = sample > 0 && sample < input.values.getShape().get(1);
        CentredFeatures from =
                sampled && input.centers == null
                        ? input.from(centersOfSample(input, sample, clusters, options, scores))
                        : input;
        return new KMeansStarts(from, clusters, options, scores).run();
    }

    private static NDArray centersOfSample(
            CentredFeatures input, int sample, int clusters, KMeansOptions options, long scores) {
        try (Scope scope = new Scope()) {
            NDArray rows = StartSample.rows(input.values, sample, options.seed());
            CentredFeatures part = input.part(rows);
            return scope.keep(new KMeansStarts(part, clusters, options, scores).run().centers());
        }
    }

    private Clusters run() {
        UniformDraws draws = new UniformDraws(options.seed());
        double[] tolerance = Arrays.stream(input.variance).map(v -> v * options.tol()).toArray();
        LloydCourse course = new LloydCourse(tolerance, options.maxIter(), options.relaxation());
        NDList centers = new NDList(); // (B R, K F), R of those that run together
        NDList labels = new NDList(); // (B R, N)
        for (int first = 0; first < starts; first += together) {
            int count = Math.min(together, starts - first);
            try (Scope scope = new Scope()) {
                NDArray initial =
                        input.centers == null
                                ? new InitialCenters(input)
                                        .draw(options.init(), clusters, count, draws)
                                : input.centers.expandDims(1);
                Lloyd.Result result = Lloyd.of(features, initial).run(features, initial, course);
                compare(result, (long) first * images, count);
                centers.add(scope.keep(result.centers));
                labels.add(scope.keep(result.labels));
            }
        }
        NDArray chosen = Ops.indices(features, best);
        return new Clusters(
                input,
                Ops.rows(NDArrays.concat(centers, 0), chosen).reshape(images, clusters, -1),
                Ops.rows(NDArrays.concat(labels, 0), chosen).toType(DataType.INT64, false),
                Ops.indices(features, iterations));
    }

    /** Notes where a start is better than those before it. */
    private void compare(Lloyd.Result result, long before, int count) {
        for (int b = 0; b < images; b++) {
            for (int start = b * count; start < (b + 1) * count; start++) {
                if (result.gains[start] > gain[b]) {
                    gain[b] = result.gains[start];
                    best[b] = before + start;
                    iterations[b] = result.iterations[start];
                }
            }
        }
    }
}
