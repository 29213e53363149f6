package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * k-means on every image of a batch, or on any sets of vectors.
 *
 * <p>Source: Lloyd, "Least squares quantization in PCM" (1982), with the starts of Arthur and
 * Vassilvitskii, "k-means++: the advantages of careful seeding" (2007), by the rules of
 * scikit-learn's {@code KMeans}.
 *
 * <pre>{@code
 * until converged:
 *   label_j = argmin over k of  ||x_j - c_k||²     the first of equals
 *   c_k     = mean of the x_j with label_j = k
 * inertia   = sum over j of  ||x_j - c_(label_j)||²
 * }</pre>
 *
 * <p>x are features (B, N, F), N at least K; float32, float64 or float16, finite. Distances are
 * computed in float32; in float64 where the features are that wide, where their squares leave
 * float32's range, and where clusters are so tight, in relation to how far they are from each
 * other, that float32 does not tell well which centre is the nearest. No gradient flows. {@link
 * KMeansOptions} says how starts are drawn and when they end.
 */
public final class KMeans implements Scriptable {

    private final int clusters;
    private final KMeansOptions options;
    private final boolean normalised;
    private final String who;
    private final String given;
    private final String parts;

    /**
     * Clusters into a number of clusters.
     *
     * @param clusters K, at least 1
     * @param options how
     * @throws IllegalArgumentException if the number is below 1
     */
    public KMeans(int clusters, KMeansOptions options) {
        this(clusters, options, false, "KMeans", "centers", "clusters");
        Check.atLeast(who, "clusters", clusters, 1);
    }

    private KMeans(
            int clusters,
            KMeansOptions options,
            boolean normalised,
            String who,
            String given,
            String parts) {
        this.clusters = clusters;
        this.options = options;
        this.normalised = normalised;
        this.who = who;
        this.given = given;
        this.parts = parts;
    }

    /**
     * The same, on features that are scaled to norm 1 first. Centres that are given are taken as
     * they are.
     *
     * @return another k-means
     */
    public KMeans onNormalisedFeatures() {
        return new KMeans(clusters, options, true, who, given, parts);
    }

    /**
     * The same, which complains in another's name: for blocks that cluster.
     *
     * @param block who complains
     * @param centers what the centres to start from are called there
     * @param parts what clusters are called there
     * @return another k-means
     */
    public KMeans speakingAs(String block, String centers, String parts) {
        return new KMeans(clusters, options, normalised, block, centers, parts);
    }

    /**
     * Which feature belongs to which cluster.
     *
     * @param centers (B, K, F), of the features' type
     * @param members (B, K, N), of the features' type: 1 where a feature belongs to a cluster, 0
     *     elsewhere
     */
    public record Partition(NDArray centers, NDArray members) {}

    /**
     * Clusters features, and tells which cluster each belongs to.
     *
     * @param features (B, N, F)
     * @param centers the centres to start from, (B, K, F) of the features' type; null to draw them
     * @return centres and members, owned by the manager of the features
     * @throws IllegalArgumentException if an input has another shape, type or device, or is not
     *     finite
     */
    public Partition partition(NDArray features, @Nullable NDArray centers) {
        NDManager owner = features.getManager();
        return run(
                features,
                centers,
                scope ->
                        found -> {
                            NDArray members =
                                    NearestCenters.oneHot(
                                            found.labels(), clusters, features.getDataType());
                            return new Partition(
                                    scope.keep(found.centersAsGiven(features), owner),
                                    scope.keep(members, owner));
                        });
    }

    /**
     * Clusters features, and tells how well.
     *
     * @param features (B, N, F)
     * @param centers the centres to start from, (B, K, F) of the features' type; null to draw them
     * @return centres, labels, inertia and iterations, owned by the manager of the features
     * @throws IllegalArgumentException if an input has another shape, type or device, or is not
     *     finite
     */
    public KMeansClustering cluster(NDArray features, @Nullable NDArray centers) {
        NDManager owner = features.getManager();
        return run(
                features,
                centers,
                scope ->
                        found -> {
                            NDArray inertia = found.inertia().toType(DataType.FLOAT64, false);
                            return new KMeansClustering(
                                    scope.keep(found.centersAsGiven(features), owner),
                                    scope.keep(found.labels(), owner),
                                    scope.keep(inertia, owner),
                                    scope.keep(found.iterations(), owner));
                        });
    }

    /**
     * The equations in TorchScript, for starts that a seed draws by k-means++: {@code
     * forward(features)} gives the members (B, K, N), in the features' type. What is computed in
     * float64 there are features of that type alone.
     *
     * @return a module without parameters
     * @throws IllegalArgumentException if there is no seed, starts are drawn otherwise or on a
     *     sample, there is relaxation, or features are to be normalised
     */
    @Override
    public ScriptModule script() {
        Check.option(!normalised, who + ": normalised features cannot be written in TorchScript");
        return KMeansScript.of(who, clusters, options);
    }

    private <T> T run(
            NDArray features,
            @Nullable NDArray centers,
            Function<Scope, Function<KMeansStarts.Clusters, T>> result) {
        check(features, centers);
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        CentredFeatures input =
                                CentredFeatures.of(who, given, features, centers, normalised);
                        return result.apply(scope)
                                .apply(
                                        KMeansStarts.run(
                                                input, clusters, options, KMeansStarts.SCORES));
                    }
                });
    }

    private void check(NDArray features, @Nullable NDArray centers) {
        Check.shape(who, "features", features, "B", "N", "F");
        Check.floating(who, "features", features.getDataType());
        checkShapes(features.getShape(), centers == null ? null : centers.getShape());
        if (centers != null) {
            Shape shape = features.getShape();
            Check.shape(who, given, centers, shape.get(0), clusters, shape.get(2));
            Check.sameTypeAndDevice(who, given, centers, "features", features);
        }
    }

    /**
     * Checks shapes, in which -1 is an unknown size.
     *
     * @param features (B, N, F)
     * @param centers (B, K, F), or null
     * @throws IllegalArgumentException if they are of other shapes, or the features fewer than the
     *     clusters
     */
    public void checkShapes(Shape features, @Nullable Shape centers) {
        Check.shape(who, "features", features, "B", "N", "F");
        long size = features.get(1);
        Check.option(
                size >= clusters || size == -1,
                who
                        + ": features must be at least as many as "
                        + parts
                        + ", N >= "
                        + clusters
                        + ", got N = "
                        + size);
        if (centers != null) {
            Check.shape(who, given, centers, features.get(0), clusters, features.get(2));
        }
    }
}
