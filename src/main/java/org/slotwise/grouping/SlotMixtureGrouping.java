package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * Slots as the Gaussians of a mixture: a slot says where its features lie and how far they spread.
 *
 * <p>Source: Kirilenko et al., "Object-Centric Learning with Slot Mixture Module" (2023), Algorithm
 * 1: expectation maximisation, in which a GRU takes the new means.
 *
 * <pre>{@code
 * x = W LayerNorm(features)              pi = 1 / K      (mu, log sigma) = conditioning
 * T times:
 *   r     = softmax over slots of  log pi - sum of log sigma - 1/2 sum of (x - mu)² / sigma²
 *   w     = (r + eps) / sum over features of (r + eps)
 *   u     = sum over features of  w x
 *   mu    = feedForward(GRU(u, mu))                      without one, GRU(u, mu)
 *   sigma = sqrt(max(sum over features of  w (x - mu)², least variance))
 *   pi    = mean over features of  (r + eps)             with DISTANCE_ONLY, 1 / K still
 * slot = [mu, log sigma]
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F), conditioning (B, K, D), slot mask (B, K) boolean, true = masked,
 *       optional. Features and conditioning are of the parameters' type. K may change from call to
 *       call.
 *   <li>x, mu and sigma have C = D / 2 elements: the first half of the conditioning is mu, the
 *       second log sigma. A sigma below the root of the least variance counts as that.
 *   <li>objects: the slots (B, K, D). Feature attributions: the last r (B, K, N), which sum to 1
 *       over slots. Empty: a copy of the slot mask, if given. {@link #mixture} also gives pi as the
 *       mean of the last r; with DISTANCE_ONLY equal shares of the slots that are not masked.
 * </ul>
 *
 * <p>How this differs from the source: features are projected by one matrix, and pi takes eps along
 * like w does. A masked slot has r = 0, and so have all slots of an image whose slots are all
 * masked.
 *
 * <p>Squared distances come from inner products with x and x² about the image's mean. In float32
 * what the softmax takes is off by up to 3e-7 times the largest sum of x² / sigma²: by 0.3 for 64
 * elements of size 1 at the default least variance, where slots are 1e5 apart. A smaller least
 * variance costs precision. In float16 it is at least 0.01.
 *
 * <p>NaN or infinite features make the slots of their own image NaN and leave other images alone.
 */
public final class SlotMixtureGrouping extends IterativeGrouping implements MaskedGrouping {

    /** What decides which slot a feature is of. */
    public enum Likelihood {
        /** The likelihood of a mixture of Gaussians: log pi - sum of log sigma - distance. */
        FULL,
        /**
         * The distance alone: without the determinant, and with priors that stay equal. So does a
         * published implementation; a slot then takes features the more the wider it is.
         */
        DISTANCE_ONLY
    }

    private final double leastVariance;
    private final Likelihood likelihood;
    private final SlotAttentionInputs inputs;
    private final StickBreakingInputs starts;
    private final SlotMixtureLayers layers;

    private SlotMixtureGrouping(Builder builder) {
        super(builder);
        leastVariance = builder.leastVariance;
        likelihood = builder.likelihood;
        inputs = new SlotAttentionInputs(featureDim, dim);
        starts = new StickBreakingInputs(who(), featureDim);
        layers = SlotMixtureLayers.of(declarer(), featureDim, updatedDim());
    }

    /** C, the size of means. */
    @Override
    int updatedDim() {
        return dim / 2;
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        MixtureSlots slots = mixture(parameterStore, features, conditioning, slotMask, training);
        slots.priors().close(); // this form has no place for them
        return slots.grouping();
    }

    /**
     * Groups features into slots, of which some may be masked, and tells the slots' priors.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F)
     * @param conditioning the slots' initial means and logarithms of deviations (B, K, D)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, D), responsibilities (B, K, N), priors (B, K) and the slot mask
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public MixtureSlots mixture(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        NDArray x = features.images(who());
        NDList in = inputs.list(who(), x, conditioning, slotMask);
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> ImageGroups.map(in, images -> iterate(pass, images)));
        return new MixtureSlots(
                out.get(0), out.get(1), out.get(2), SlotAttentionInputs.isEmpty(slotMask, x));
    }

    /**
     * Slots that start on features: the conditioning in place of drawn values. Each mean is a
     * feature (projected, as the means are) which those before it do not explain, and the
     * deviations are half of those of the image's features. In expectation maximisation what one
     * starts from decides which of many optima is reached, and features far from each other are a
     * good start; means that are drawn somewhere know nothing of the picture.
     *
     * <p>Source: stick-breaking by a Gaussian kernel as in Engelcke et al., "GENESIS-V2" (2021),
     * Algorithm 1, on what the mixture compares. Kirilenko et al. draw the means. scikit-learn's
     * {@code GaussianMixture} has starts on features, too, by k-means or k-means++.
     *
     * <pre>{@code
     * s = 1                                 variance = mean over features of (x - mean)², (B, 1, C)
     * K times:
     *   mu   = the x of the feature with the highest s U
     *   s    = s (1 - exp(-||x - mu||² / sum of variance))
     * log sigma = 1/2 log max(variance / 4, least variance)
     * }</pre>
     *
     * <p>No gradient goes through the choice, and none is recorded. Slots have an order: the later,
     * the less was left to explain, so that those to be masked should be the last. Where there are
     * fewer different features than slots, some slots are alike, and stay so.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F)
     * @param uniform draws from 0 to 1 (B, N) of the features' type, which decide among what is
     *     unexplained; null to draw them by the engine's generator
     * @param slots K, from 1 to N
     * @return what {@link #mixture} takes as conditioning, (B, K, D)
     * @throws IllegalArgumentException if an input has another shape, type or device, or there are
     *     no slots, or more than features
     */
    public NDArray startOnFeatures(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray uniform,
            int slots) {
        NDArray x = features.images(who());
        starts.check(x, "uniform", uniform);
        Check.atLeast(who(), "slots", slots, 1);
        long size = x.getShape().get(1);
        Check.option(
                slots <= size,
                who()
                        + ": slots must be at most as many as there are features, "
                        + size
                        + ", got "
                        + slots);
        NDList in = new NDList(x, StickBreakingInputs.uniform(x, uniform));
        return compute(
                        parameterStore,
                        x,
                        false,
                        pass -> ImageGroups.map(in, images -> start(pass, images, slots)))
                .head();
    }

    private NDList start(Pass pass, NDList images, int slots) {
        NDArray x = layers.project(pass, images.get(0));
        return new NDList(MixtureStart.of(x, images.get(1), slots, leastIn(x.getDataType())));
    }

    /** Slots, responsibilities and priors for features, conditioning and, if any, a slot mask. */
    private NDList iterate(Pass pass, NDList in) {
        NDArray x = layers.project(pass, in.get(0));
        NDList start = SlotMixtureIteration.start(in.get(1));
        SlotMixtureIteration iteration =
                new SlotMixtureIteration(
                        x,
                        likelihood,
                        eps,
                        leastIn(x.getDataType()),
                        SlotAttentionInputs.slotMask(in),
                        (u, means) -> feed(pass, layers.gru().step(pass, u, means)));
        NDList end =
                implicitDifferentiation
                        ? iteration.repeat(
                                NoGraph.during(
                                        () -> iteration.repeat(start, iterations(pass.training()))),
                                1)
                        : iteration.repeat(start, iterations(pass.training()));
        NDArray r = end.get(3);
        return new NDList(
                end.get(0).concat(end.get(1), 2), r, priors(r, SlotAttentionInputs.slotMask(in)));
    }

    /** pi (B, K) for responsibilities (B, K, N): 0 for masked slots. */
    private NDArray priors(NDArray r, @Nullable NDArray slotMask) {
        NDArray mean = r.mean(new int[] {2});
        if (likelihood == Likelihood.FULL) {
            return mean;
        }
        NDArray ones = mean.onesLike();
        NDArray taking = slotMask == null ? ones : Ops.maskedFill(ones, slotMask, 0);
        // Where all are masked, 0 / 1 for each.
        return taking.div(Ops.clampMin(taking.sum(new int[] {1}, true), 1));
    }

    /** In float16 smaller variances lead beyond the range of numbers. */
    private double leastIn(DataType type) {
        return type == DataType.FLOAT16 ? Math.max(leastVariance, 0.01) : leastVariance;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return inputs.outputShapes(who(), inputShapes[0], inputShapes, 1);
    }

    /** {@inheritDoc} */
    @Override
    protected void checkOptions(DataType type) {
        checkLeastVariance(who(), leastVariance, type);
    }

    private static void checkLeastVariance(String who, double leastVariance, DataType type) {
        boolean half = type == DataType.FLOAT16;
        Check.option(
                leastVariance <= (half ? 1e4 : 1e12),
                who
                        + ": leastVariance must be at most "
                        + (half ? "1e4 in float16" : "1e12")
                        + ", got "
                        + leastVariance);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("featureDim", featureDim)
                .and("feedForward", feedForward != null);
    }

    /**
     * Starts the description of a slot mixture.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotMixtureGrouping}. */
    public static final class Builder extends IterativeGrouping.Builder<Builder> {
        private double leastVariance = 1e-4;
        private Likelihood likelihood = Likelihood.FULL;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the least variance of a slot along each axis. Features that are all alike have none
         * of their own.
         *
         * @param leastVariance from 1e-30 to 1e12, in float16 to 1e4; 1e-4 if not set. In float16
         *     anything below 0.01 counts as that
         * @return this
         */
        public Builder optLeastVariance(double leastVariance) {
            this.leastVariance = leastVariance;
            return this;
        }

        /**
         * Sets what decides which slot a feature is of.
         *
         * @param likelihood {@link Likelihood#FULL} if not set
         * @return this
         */
        public Builder optLikelihood(Likelihood likelihood) {
            this.likelihood = likelihood;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotMixtureGrouping build() {
            String who = "SlotMixtureGrouping";
            Check.option(
                    dim > 0 && dim % 2 == 0, who + ": dim must be even and at least 2, got " + dim);
            check(who);
            Check.option(
                    leastVariance >= 1e-30 && leastVariance < Double.POSITIVE_INFINITY,
                    who
                            + ": leastVariance must be at least 1e-30 and finite, got "
                            + leastVariance);
            checkLeastVariance(who, leastVariance, DataType.FLOAT32);
            return new SlotMixtureGrouping(this);
        }
    }
}
