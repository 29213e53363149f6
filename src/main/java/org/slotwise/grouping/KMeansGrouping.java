package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;

/**
 * Groups the features of each image by k-means.
 *
 * <p>Source: Lloyd, "Least squares quantization in PCM" (1982), with the starts of Arthur and
 * Vassilvitskii, "k-means++: the advantages of careful seeding" (2007); in the form of {@code
 * ocl.perceptual_grouping.KMeansGrouping}, which calls scikit-learn's {@code KMeans} image by
 * image.
 *
 * <pre>{@code
 * x = features / max(||features||, 1e-12)          if normalised
 * until converged:
 *   label_j = argmin over k of  ||x_j - c_k||²     the first of equals
 *   c_k     = mean of the x_j with label_j = k
 * inertia   = sum over j of  ||x_j - c_(label_j)||²
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F), N at least K; float32, float64 or float16. Conditioning, optional: the
 *       centres to start from (B, K, F), of the features' type. They are taken as they are, also
 *       where features are normalised. Without them the starts are drawn, and the best is kept.
 *   <li>objects: the centres (B, K, F), of the normalised features where those are in use. Feature
 *       attributions: (B, K, N) of the features' type, 1 where a feature belongs to a cluster and 0
 *       elsewhere. Nothing is said about empty slots.
 * </ul>
 *
 * <p>No gradient flows through this block, and no graph is recorded, whatever {@code training}
 * says.
 *
 * <p>From given centres the result is the one that scikit-learn gives, up to rounding, in all
 * cases: how an emptied cluster is filled, how ties are broken, when an image has converged. (Where
 * three or more clusters of an image are emptied in the same iteration, scikit-learn leaves open
 * which of them gets which feature; here the first gets the farthest.) An image with fewer
 * different features than clusters leaves clusters empty: they have no attributions, and their
 * centres mean nothing.
 *
 * <p>On a GPU all images and all starts are computed together; on a CPU each start by itself, on as
 * many threads as the engine uses for an operation. Distances are computed in float32, in float64
 * for features of that type and for those whose squares float32 cannot hold.
 */
public final class KMeansGrouping extends GroupingBlock {

    private final int slots;
    private final boolean l2Normalization;
    private final KMeans kMeans;

    private KMeansGrouping(Builder builder) {
        slots = builder.slots;
        l2Normalization = builder.l2Normalization;
        KMeans plain =
                new KMeans(slots, builder.options)
                        .speakingAs(who(), GroupingInputs.CONDITIONING, "slots");
        kMeans = l2Normalization ? plain.onNormalisedFeatures() : plain;
    }

    /**
     * {@inheritDoc}
     *
     * @param parameterStore not used: nothing is learnt. It may be null
     */
    @Override
    public PerceptualGroupingOutput group(
            @Nullable ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        KMeans.Partition found = kMeans.partition(features.images(who()), conditioning);
        return new PerceptualGroupingOutput(found.centers(), found.members(), null);
    }

    /**
     * Clusters features, and tells more than {@link #group} does.
     *
     * @param features (B, N, F)
     * @param centers the centres to start from, (B, K, F); null to draw them
     * @return centres, labels, inertia and iterations, owned by the manager of the features
     * @throws IllegalArgumentException if an input has another shape, type or device, or is not
     *     finite
     */
    public KMeansClustering cluster(NDArray features, @Nullable NDArray centers) {
        return kMeans.cluster(features, centers);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape features = inputShapes[0];
        kMeans.checkShapes(features, conditioning(inputShapes));
        return new Shape[] {
            new Shape(features.get(0), slots, features.get(2)),
            new Shape(features.get(0), slots, features.get(1))
        };
    }

    /**
     * Shapes carry no names: conditioning is the first one after the features, but for that of
     * positions (N, P), which an encoder gives.
     */
    private static @Nullable Shape conditioning(Shape[] inputShapes) {
        for (int i = 1; i < inputShapes.length; i++) {
            Shape shape = inputShapes[i];
            Shape features = inputShapes[0];
            boolean positions =
                    shape.dimension() == 2
                            && features.dimension() == 3
                            && shape.get(0) == features.get(1);
            if (!positions) {
                return shape;
            }
        }
        return null;
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("slots", slots).and("l2Normalization", l2Normalization);
    }

    /**
     * Starts the description of a k-means grouping.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link KMeansGrouping}. */
    public static final class Builder {
        private int slots;
        private boolean l2Normalization = true;
        private KMeansOptions options = KMeansOptions.builder().build();

        private Builder() {}

        /**
         * Sets the number of slots, K.
         *
         * @param slots at least 1
         * @return this
         */
        public Builder setSlots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Sets whether each feature is scaled to norm 1 first.
         *
         * @param l2Normalization true if not set
         * @return this
         */
        public Builder optL2Normalization(boolean l2Normalization) {
            this.l2Normalization = l2Normalization;
            return this;
        }

        /**
         * Sets how to cluster.
         *
         * @param options the defaults of {@link KMeansOptions} if not set
         * @return this
         */
        public Builder optClustering(KMeansOptions options) {
            this.options = options;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if the number of slots is missing or below 1
         */
        public KMeansGrouping build() {
            Check.option(slots > 0, "KMeansGrouping: slots must be at least 1, got " + slots);
            return new KMeansGrouping(this);
        }
    }
}
