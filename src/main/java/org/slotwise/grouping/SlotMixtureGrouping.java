package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.StartingValues;

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
 *   pi    = mean over features of  r
 * slot = [mu, log sigma]
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F), conditioning (B, K, D), slot mask (B, K) boolean, true = masked,
 *       optional. Features and conditioning are of the parameters' type. K may change from call to
 *       call.
 *   <li>x, mu and sigma have C = D / 2 elements: the first half of the conditioning is mu, the
 *       second log sigma.
 *   <li>objects: the slots (B, K, D). Feature attributions: the last r (B, K, N), which sum to 1
 *       over slots. Empty: a copy of the slot mask, if given. {@link #mixture} also gives pi.
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
public final class SlotMixtureGrouping extends ConfiguredBlock implements PerceptualGrouping {

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

    private final int dim;
    private final int featureDim;
    private final int iterations;
    private final double eps;
    private final double leastVariance;
    private final Likelihood likelihood;
    private final boolean implicitDifferentiation;
    private final @Nullable Block feedForward;
    private final SlotAttentionInputs inputs;

    private final Parameter inputNormGain;
    private final Parameter inputNormOffset;
    private final Parameter projection;
    private final Parameter gruInputWeight;
    private final Parameter gruStateWeight;
    private final Parameter gruInputBias;
    private final Parameter gruStateBias;

    private SlotMixtureGrouping(Builder builder) {
        dim = builder.dim;
        featureDim = builder.featureDim;
        iterations = builder.iterations;
        eps = builder.eps;
        leastVariance = builder.leastVariance;
        likelihood = builder.likelihood;
        implicitDifferentiation = builder.implicitDifferentiation;
        feedForward = builder.feedForward;
        inputs = new SlotAttentionInputs(featureDim, dim);

        int c = dim / 2;
        int f = featureDim;
        inputNormGain = declare("norm_input.weight", Parameter.Type.GAMMA, Initializer.ONES, f);
        inputNormOffset = declare("norm_input.bias", Parameter.Type.BETA, Initializer.ZEROS, f);
        Initializer linear = StartingValues.linear(f);
        projection = declare("project_input.weight", Parameter.Type.WEIGHT, linear, c, f);
        Initializer gru = StartingValues.linear(c);
        gruInputWeight = declare("gru.weight_ih", Parameter.Type.WEIGHT, gru, 3L * c, c);
        gruStateWeight = declare("gru.weight_hh", Parameter.Type.WEIGHT, gru, 3L * c, c);
        gruInputBias = declare("gru.bias_ih", Parameter.Type.BIAS, gru, 3L * c);
        gruStateBias = declare("gru.bias_hh", Parameter.Type.BIAS, gru, 3L * c);
        if (feedForward != null) {
            addChildBlock("ff_mlp", feedForward);
        }
    }

    /**
     * The size of a feature.
     *
     * @return F
     */
    public int featureDim() {
        return featureDim;
    }

    /**
     * The size of a slot.
     *
     * @return D
     */
    public int dim() {
        return dim;
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        return mixture(parameterStore, features, conditioning, null, training).grouping();
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
        NDArray start = inputs.check(who(), x, conditioning, slotMask);
        SlotMixtureWeights weights =
                new SlotMixtureWeights(
                        value(parameterStore, inputNormGain, x, training),
                        value(parameterStore, inputNormOffset, x, training),
                        value(parameterStore, projection, x, training),
                        new GruCell(
                                value(parameterStore, gruInputWeight, x, training),
                                value(parameterStore, gruStateWeight, x, training),
                                value(parameterStore, gruInputBias, x, training),
                                value(parameterStore, gruStateBias, x, training)));
        fetchAll(parameterStore, feedForward, x, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDList in = new NDList(x, start);
                        if (slotMask != null) {
                            in.add(slotMask);
                        }
                        NDList out =
                                ImageGroups.map(
                                        in,
                                        images ->
                                                iterate(parameterStore, weights, images, training));
                        NDManager owner = x.getManager();
                        return new MixtureSlots(
                                scope.keep(out.get(0), owner),
                                scope.keep(out.get(1), owner),
                                scope.keep(out.get(2), owner),
                                SlotAttentionInputs.isEmpty(scope, slotMask, owner));
                    }
                });
    }

    /** Slots, responsibilities and priors for features, conditioning and, if any, a slot mask. */
    private NDList iterate(
            ParameterStore store, SlotMixtureWeights weights, NDList in, boolean training) {
        NDArray x = weights.project(in.get(0));
        NDList start = SlotMixtureIteration.start(in.get(1));
        SlotMixtureIteration iteration =
                new SlotMixtureIteration(
                        x,
                        likelihood,
                        eps,
                        leastIn(x.getDataType()),
                        in.size() > 2 ? in.get(2) : null,
                        (u, means) ->
                                SlotFeedForward.apply(
                                        who(),
                                        feedForward,
                                        store,
                                        weights.gru().step(u, means),
                                        training));
        NDList end =
                implicitDifferentiation
                        ? iteration.repeat(
                                NoGraph.during(() -> iteration.repeat(start, iterations)), 1)
                        : iteration.repeat(start, iterations);
        NDArray r = end.get(3);
        return new NDList(end.get(0).concat(end.get(1), 2), r, priors(r));
    }

    /** pi (B, K) for responsibilities (B, K, N). */
    private NDArray priors(NDArray r) {
        NDArray mean = r.mean(new int[] {2});
        if (likelihood == Likelihood.FULL) {
            return mean;
        }
        return mean.onesLike().div(Scalars.like(mean, (double) mean.getShape().get(1)));
    }

    /** In float16 smaller variances lead beyond the range of numbers. */
    private double leastIn(DataType type) {
        return type == DataType.FLOAT16 ? Math.max(leastVariance, 0.01) : leastVariance;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList list,
            boolean training,
            @Nullable PairList<String, Object> params) {
        GroupingInputs in = GroupingInputs.parse(who(), list, SlotAttentionInputs.NAMES);
        MixtureSlots slots =
                mixture(
                        parameterStore,
                        in.extracted(),
                        in.get(GroupingInputs.CONDITIONING),
                        in.get(GroupingInputs.SLOT_MASK),
                        training);
        slots.priors().close(); // a list has no place for them
        return slots.grouping().toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return inputs.outputShapes(who(), inputShapes[0], inputShapes, 1);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        if (feedForward != null) {
            feedForward.initialize(manager, dataType, new Shape(-1, -1, dim / 2));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("dim", dim);
        options.put("featureDim", featureDim);
        options.put("feedForward", feedForward != null);
        return options;
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
    public static final class Builder {
        private int dim;
        private int featureDim;
        private int iterations = 3;
        private double eps = 1e-8;
        private double leastVariance = 1e-4;
        private Likelihood likelihood = Likelihood.FULL;
        private @Nullable Block feedForward;
        private boolean implicitDifferentiation;

        private Builder() {}

        /**
         * Sets the size of a slot, D: half of it are means, half logarithms of deviations.
         *
         * @param dim an even number, at least 2
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets the size of a feature, F.
         *
         * @param featureDim at least 1
         * @return this
         */
        public Builder setFeatureDim(int featureDim) {
            this.featureDim = featureDim;
            return this;
        }

        /**
         * Sets the number of iterations, T.
         *
         * @param iterations at least 1; 3 if not set
         * @return this
         */
        public Builder optIterations(int iterations) {
            this.iterations = iterations;
            return this;
        }

        /**
         * Sets what is added to the responsibilities before they are normalised over features.
         *
         * @param eps at least 0; 1e-8 if not set. In float16 anything below 6e-8 counts as 0
         * @return this
         */
        public Builder optEps(double eps) {
            this.eps = eps;
            return this;
        }

        /**
         * Sets the least variance of a slot along each axis. Features that are all alike have none
         * of their own.
         *
         * @param leastVariance above 0; 1e-4 if not set. In float16 anything below 0.01 counts as
         *     that
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
         * Sets a block that is applied to the means after each GRU update, {@link FeedForward} for
         * instance. Residual and normalisation are its own affair.
         *
         * @param feedForward from (B, K, D / 2) to (B, K, D / 2)
         * @return this
         */
        public Builder optFeedForward(Block feedForward) {
            this.feedForward = feedForward;
            return this;
        }

        /**
         * Sets whether gradients flow through one more iteration only, after T iterations without
         * them. Takes less time and memory in training; the conditioning receives no gradient.
         *
         * @param implicitDifferentiation false if not set
         * @return this
         */
        public Builder optImplicitDifferentiation(boolean implicitDifferentiation) {
            this.implicitDifferentiation = implicitDifferentiation;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotMixtureGrouping build() {
            String who = "SlotMixtureGrouping: ";
            Check.option(
                    dim > 0 && dim % 2 == 0, who + "dim must be even and at least 2, got " + dim);
            Check.option(featureDim > 0, who + "featureDim must be at least 1, got " + featureDim);
            Check.option(iterations > 0, who + "iterations must be at least 1, got " + iterations);
            Check.option(
                    eps >= 0 && eps < Double.POSITIVE_INFINITY,
                    who + "eps must be at least 0 and finite, got " + eps);
            Check.option(
                    leastVariance >= 1e-30 && leastVariance < Double.POSITIVE_INFINITY,
                    who + "leastVariance must be at least 1e-30 and finite, got " + leastVariance);
            return new SlotMixtureGrouping(this);
        }
    }
}
