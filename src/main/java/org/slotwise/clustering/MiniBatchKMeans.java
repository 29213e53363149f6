package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * k-means on vectors that come batch by batch, for more of them than fit into memory.
 *
 * <p>Source: Sculley, "Web-scale k-means clustering" (2010), as scikit-learn's {@code
 * MiniBatchKMeans.partial_fit} does it without reassignment: all features of a batch get their
 * labels first.
 *
 * <pre>{@code
 * n_k = n_k + how many of the batch are nearest to c_k
 * c_k = c_k + (their sum - their number c_k) / n_k
 * }</pre>
 *
 * <p>It differs in the start, where no centres are given: {@link KMeans} clusters the first batch
 * to the end, which should have several features for each cluster and be as mixed as the rest.
 * Centres are kept in float64 in Java's memory, and distances are computed in it. The order of
 * batches matters. Not for several threads at once.
 */
public final class MiniBatchKMeans {

    private static final String WHO = "MiniBatchKMeans";

    private final int clusters;
    private final KMeansOptions options;
    private final long[] counts;
    private double @Nullable [][] centers; // (K)(F)

    /**
     * Begins without centres.
     *
     * @param clusters K, from 1 to 65,536
     * @param options how the first batch is clustered
     * @throws IllegalArgumentException if the number is out of range
     */
    public MiniBatchKMeans(int clusters, KMeansOptions options) {
        Limits.count(WHO, "clusters", clusters, 1, Limits.SLOTS);
        this.clusters = clusters;
        this.options = options;
        counts = new long[clusters];
    }

    /**
     * Begins from centres.
     *
     * @param centers (K, F), float32, float64 or float16, finite
     * @return a clustering in which no feature counts for them yet
     * @throws IllegalArgumentException if they have another shape or type, or are not finite
     */
    public static MiniBatchKMeans from(NDArray centers) {
        Check.shape(WHO, "centers", centers, "K", "F");
        Check.floating(WHO, "centers", centers.getDataType());
        Shape shape = centers.getShape();
        MiniBatchKMeans kMeans =
                new MiniBatchKMeans(Math.toIntExact(shape.get(0)), KMeansOptions.builder().build());
        double[] values = Ops.read(centers);
        requireFinite("centers", values);
        kMeans.take(values, Math.toIntExact(shape.get(1)));
        return kMeans;
    }

    private void take(double[] values, int featureSize) {
        double[][] rows = new double[clusters][featureSize];
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(values, k * featureSize, rows[k], 0, featureSize);
        }
        centers = rows;
    }

    private static void requireFinite(String what, double[] values) {
        for (double value : values) {
            if (!Double.isFinite(value * value)) {
                throw new IllegalArgumentException(
                        WHO
                                + ": "
                                + what
                                + " must be finite, and so must their squares in float64");
            }
        }
    }

    /**
     * Adds a batch.
     *
     * @param features (n, F), float32, float64 or float16, finite; the first of all, without
     *     centres, at least as many as clusters
     * @return this
     * @throws IllegalArgumentException if they have another shape or type, or are not finite
     */
    public MiniBatchKMeans add(NDArray features) {
        Check.shape(WHO, "features", features, "n", "F");
        Check.floating(WHO, "features", features.getDataType());
        double[] values = Ops.read(features);
        requireFinite("features", values);
        if (centers == null) {
            start(features);
            return this;
        }
        checkSize(features, centers);
        int featureSize = centers[0].length;
        int[] labels = nearest(features, centers);
        int[] added = new int[clusters];
        double[][] sums = new double[clusters][featureSize];
        for (int j = 0; j < labels.length; j++) {
            double[] sum = sums[labels[j]];
            for (int f = 0; f < featureSize; f++) {
                sum[f] += values[j * featureSize + f];
            }
            added[labels[j]]++;
        }
        for (int k = 0; k < clusters; k++) {
            if (added[k] > 0) {
                counts[k] += added[k];
                for (int f = 0; f < featureSize; f++) {
                    double c = centers[k][f];
                    centers[k][f] = c + (sums[k][f] - added[k] * c) / counts[k];
                }
            }
        }
        return this;
    }

    @SuppressWarnings("try") // the scope works by being open
    private void start(NDArray features) {
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        KMeansClustering found =
                                new KMeans(clusters, options)
                                        .speakingAs(WHO, "centers", "clusters")
                                        .cluster(features.expandDims(0), null);
                        for (long label : found.labels().toLongArray()) {
                            counts[(int) label]++;
                        }
                        int size = Math.toIntExact(features.getShape().get(1));
                        take(Ops.read(found.centers()), size);
                        return counts;
                    }
                });
    }

    private static void checkSize(NDArray features, double[][] centers) {
        Check.last(WHO, "features", features, centers[0].length);
    }

    /** The nearest centre of each feature, the first of equals. */
    @SuppressWarnings("try") // the scope works by being open
    private static int[] nearest(NDArray features, double[][] centers) {
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray given = features.toType(DataType.FLOAT64, false);
                        double[] origin = origin(centers);
                        NDArray x = given.sub(centers(given, new double[][] {origin}));
                        NDArray c = centers(x, around(origin, centers));
                        NDArray bias = c.square().sum(new int[] {1});
                        NDArray scores = Ops.linear(x, c, bias.mul(Scalars.like(bias, -0.5)));
                        long[] labels = scores.argMax(1).toLongArray();
                        int[] result = new int[labels.length];
                        for (int j = 0; j < result.length; j++) {
                            result[j] = (int) labels[j];
                        }
                        return result;
                    }
                });
    }

    /** The median of each element of the centres: distances from near it keep their digits. */
    private static double[] origin(double[][] centers) {
        double[] origin = new double[centers[0].length];
        for (int f = 0; f < origin.length; f++) {
            int element = f;
            double[] sorted =
                    Arrays.stream(centers).mapToDouble(c -> c[element]).sorted().toArray();
            origin[f] = sorted[sorted.length / 2];
        }
        return origin;
    }

    private static double[][] around(double[] origin, double[][] centers) {
        double[][] around = new double[centers.length][origin.length];
        for (int k = 0; k < centers.length; k++) {
            for (int f = 0; f < origin.length; f++) {
                around[k][f] = centers[k][f] - origin[f];
            }
        }
        return around;
    }

    private static NDArray centers(NDArray like, double[][] centers) {
        double[] values = new double[centers.length * centers[0].length];
        for (int k = 0; k < centers.length; k++) {
            System.arraycopy(centers[k], 0, values, k * centers[k].length, centers[k].length);
        }
        return Scalars.of(
                like.getManager(),
                like.getDevice(),
                values,
                new Shape(centers.length, centers[0].length),
                like.getDataType());
    }

    /**
     * Tells the cluster of each of some features; nothing is learnt.
     *
     * @param features (n, F), float32, float64 or float16
     * @return (n) int64, owned by the manager of the features
     * @throws IllegalArgumentException if they have another shape or type
     * @throws IllegalStateException if there are no centres yet
     */
    public NDArray labels(NDArray features) {
        Check.shape(WHO, "features", features, "n", "F");
        Check.floating(WHO, "features", features.getDataType());
        double[][] known = known();
        checkSize(features, known);
        int[] labels = nearest(features, known);
        long[] wide = new long[labels.length];
        for (int j = 0; j < wide.length; j++) {
            wide[j] = labels[j];
        }
        return Ops.indices(features, wide);
    }

    /**
     * The centres.
     *
     * @param manager what owns the result
     * @return (K, F) float64
     * @throws IllegalStateException if there are none yet
     */
    public NDArray centers(NDManager manager) {
        return manager.create(known());
    }

    private double[][] known() {
        if (centers == null) {
            throw new IllegalStateException(WHO + ": no features were added yet");
        }
        return centers;
    }

    /**
     * How many features each cluster has got.
     *
     * @return K numbers
     */
    public long[] counts() {
        return counts.clone();
    }
}
