package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * Soft k-means: slots are weighted means of the features that are most like them. Nothing is
 * learnt, and gradients flow to features and initial slots.
 *
 * <p>Source: Kirilenko, Kovalev and Panov, "Object-Centric representations with Slot Attention for
 * Visual tasks" (a talk), "Soft k-Means Pseudocode", with distances; Locatello et al.,
 * "Object-Centric Learning with Slot Attention" (2020), section B, last paragraph, with dot
 * products: Slot Attention without GRU, LayerNorms and projections. The temperature is that of
 * MacKay, "Information Theory, Inference, and Learning Algorithms" (2003), section 20.2, whose
 * stiffness is 2 / temperature.
 *
 * <pre>{@code
 * T times:
 *   a = softmax over slots of  score(x, s) / temperature
 *   s = sum over features of (a + eps) x / sum over features of (a + eps)
 *
 * score(x, s) = -||x - s||²   or   s . x
 * }</pre>
 *
 * <ul>
 *   <li>features x (B, N, F), conditioning (B, K, F): the initial s, of the features' type and
 *       size; slot mask (B, K) boolean, true = masked, optional. K and F may change from call to
 *       call.
 *   <li>objects: the final s (B, K, F). Feature attributions: the last a (B, K, N), before eps;
 *       they sum to 1 over slots. Empty: a copy of the slot mask, if given.
 * </ul>
 *
 * <p>With distances, the lower the temperature, the nearer this comes to {@link KMeansGrouping}
 * from the same centres. A masked slot has attributions of 0. A slot that no feature is like,
 * masked or not, has eps of every feature and becomes their mean, also if eps is 0; with dot
 * products and eps 0 it becomes 0.
 *
 * <p>How this differs from the sources: the first writes its score as a Euclidean distance, and is
 * taken to mean the squared one, as its mixture of Gaussians needs. Squared distances come from
 * inner products about the image's mean.
 *
 * <p>NaN or infinite features make the slots of their own image NaN and leave other images alone.
 */
public final class SoftKMeansGrouping extends GroupingBlock implements MaskedGrouping {

    /** How like a feature x is to a slot s. */
    public enum Score {
        /** -||x - s||². The temperature is 1 if not set. */
        SQUARED_DISTANCE,
        /** s . x. The temperature is sqrt(F) if not set, as in Slot Attention. */
        DOT_PRODUCT
    }

    private final int iterations;
    private final double eps;
    private final Score score;
    private final @Nullable Double temperature;

    private SoftKMeansGrouping(Builder builder) {
        iterations = builder.iterations;
        eps = builder.eps;
        score = builder.score;
        temperature = builder.temperature;
    }

    /**
     * Groups features into slots, of which some may be masked.
     *
     * @param features (B, N, F)
     * @param conditioning the slots' initial values (B, K, F)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, F), attributions (B, K, N) and the slot mask
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public PerceptualGroupingOutput group(
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        NDArray x = features.images(who());
        // A store that stays empty: there is nothing that is learnt.
        ParameterStore none = new ParameterStore(x.getManager(), false);
        return group(none, features, conditioning, slotMask, training);
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        NDArray x = features.images(who());
        NDList in = inputs(x.getShape()).list(who(), x, conditioning, slotMask);
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> ImageGroups.map(in, images -> iterate(pass, images)));
        return new PerceptualGroupingOutput(
                out.get(0), out.get(1), SlotAttentionInputs.isEmpty(slotMask, x));
    }

    private static SlotAttentionInputs inputs(Shape features) {
        int size = (int) features.get(2);
        return new SlotAttentionInputs(size, size);
    }

    /** Slots and attributions for features, initial slots and, where there is one, a slot mask. */
    private NDList iterate(Pass pass, NDList in) {
        NDArray x = in.get(0);
        NDArray start = in.get(1);
        NDArray slotMask = SlotAttentionInputs.slotMask(in);
        int size = (int) x.getShape().get(2);
        SlotAttentionLayers none = SlotAttentionLayers.none(size);
        if (score == Score.DOT_PRODUCT) {
            double scale = 1 / (temperature == null ? Math.sqrt(size) : temperature);
            AttendedFeatures features = new AbsorbedFeatures(pass, none, x, 1, eps);
            return iteration(pass, none, features, scale, slotMask).repeat(start, iterations, null);
        }
        // Distances do not change when all is moved, and are most precise about the mean.
        NDArray centre = x.mean(new int[] {1}, true);
        AttendedFeatures features =
                new SquaredDistances(
                        new AbsorbedFeatures(pass, none, x.sub(centre), 1, eps),
                        temperature == null ? 1 : temperature);
        NDList end =
                iteration(pass, none, features, 1, slotMask)
                        .repeat(start.sub(centre), iterations, null);
        return new NDList(end.get(0).add(centre), end.get(1));
    }

    private SlotAttentionIteration iteration(
            Pass pass,
            SlotAttentionLayers layers,
            AttendedFeatures features,
            double scale,
            @Nullable NDArray slotMask) {
        return new SlotAttentionIteration(
                pass,
                layers,
                features,
                scale,
                eps,
                SlotAttentionVariant.SOFT_K_MEANS,
                slotMask,
                slots -> slots);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape features = inputShapes[0];
        Check.shape(who(), "features", features, "B", "N", "F");
        return inputs(features).outputShapes(who(), features, inputShapes, 1);
    }

    /** {@inheritDoc} */
    @Override
    protected void checkOptions(DataType type) {
        if (temperature != null) {
            Limits.divisor(who(), "temperature", temperature, type);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.none();
    }

    /**
     * Starts the description of a soft k-means grouping.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SoftKMeansGrouping}. */
    public static final class Builder {
        private int iterations = 3;
        private double eps = 1e-8;
        private Score score = Score.SQUARED_DISTANCE;
        private @Nullable Double temperature;

        private Builder() {}

        /**
         * Sets the number of iterations, T.
         *
         * @param iterations from 1 to 10,000; 3 if not set
         * @return this
         */
        public Builder optIterations(int iterations) {
            this.iterations = iterations;
            return this;
        }

        /**
         * Sets what is added to the attributions before they are normalised over features.
         *
         * @param eps from 0 to 1; 1e-8 if not set. In float16 anything below 6e-8 counts as 0
         * @return this
         */
        public Builder optEps(double eps) {
            this.eps = eps;
            return this;
        }

        /**
         * Sets how like a feature is to a slot.
         *
         * @param score {@link Score#SQUARED_DISTANCE} if not set
         * @return this
         */
        public Builder optScore(Score score) {
            this.score = score;
            return this;
        }

        /**
         * Sets what scores are divided by. Scores must stay within the range of the features' type
         * when they are: in float16 below 65504.
         *
         * @param temperature from 1e-20 to 1e20, in float16 from 1e-4 to 1e4; if not set 1 for
         *     distances, sqrt(F) for dot products
         * @return this
         */
        public Builder optTemperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is out of range
         */
        public SoftKMeansGrouping build() {
            String who = "SoftKMeansGrouping";
            Limits.count(who, "iterations", iterations, 1, Limits.ITERATIONS);
            Limits.eps(who, "eps", eps);
            Check.option(
                    temperature == null
                            || (temperature >= 1e-20 && temperature < Double.POSITIVE_INFINITY),
                    who + ": temperature must be at least 1e-20 and finite, got " + temperature);
            Check.option(
                    temperature == null || temperature <= 1e20,
                    who + ": temperature must be at most 1e20, got " + temperature);
            return new SoftKMeansGrouping(this);
        }
    }
}
