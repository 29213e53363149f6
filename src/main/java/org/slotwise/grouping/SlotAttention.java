package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
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
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.Part;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.StartingValues;

/**
 * Slot Attention: slots compete for features over a few iterations.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), Algorithm 1;
 * in the form of {@code ocl.perceptual_grouping.SlotAttention}, with several heads, masked slots
 * and the implicit differentiation of Chang et al., "Object Representations as Fixed Points"
 * (2022).
 *
 * <pre>{@code
 * x = LayerNorm(features)                          k = Wk x      v = Wv x
 * T times:
 *   q = Wq LayerNorm(s)
 *   a = softmax over slots and heads of  q . k / sqrt(C / H)
 *   w = (a + eps) / sum over features of (a + eps)
 *   u = sum over features of  w v                  heads side by side
 *   s = GRU(u, s)
 *   s = feedForward(s)                             if there is one
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F), conditioning (B, K, D): the initial s, slot mask (B, K) boolean, true =
 *       masked, optional. Features and conditioning are of the parameters' type. K may change from
 *       call to call.
 *   <li>objects: the final s (B, K, D). Feature attributions: the last a, before eps and averaged
 *       over heads (B, K, N), so that it sums to 1 / H over slots. Empty: a copy of the slot mask,
 *       if given.
 *   <li>q, k, v have C = kvqDim elements, C / H for each head.
 * </ul>
 *
 * <p>Parts can be left out or replaced, as in the paper's ablations: {@link SlotAttentionVariant}.
 * With a softmax over features attributions sum to 1 over features, and to nothing in particular
 * over slots.
 *
 * <p>How this differs from the reference: when all slots of an image are masked its attention is
 * zero, not NaN; a slot that receives nothing at all (eps 0 and masked) is updated with u = 0, not
 * NaN. With implicit differentiation the T iterations before the last one record no graph.
 *
 * <p>NaN or infinite features make the slots of their own image NaN and leave other images alone.
 */
public final class SlotAttention extends ConfiguredBlock implements PerceptualGrouping {

    private final int dim;
    private final int featureDim;
    private final int kvqDim;
    private final int heads;
    private final int iterations;
    private final double eps;
    private final double normEps;
    private final boolean projectionBias;
    private final boolean implicitDifferentiation;
    private final SlotAttentionVariant variant;
    private final @Nullable Block feedForward;
    private final AttendedFeatures.Choice attended;
    private final SlotAttentionInputs inputs;

    private final AffineParameters query;
    private final AffineParameters key;
    private final AffineParameters value;
    private final @Nullable GruParameters gru;
    private final AffineParameters inputNorm;
    private final AffineParameters slotNorm;
    private final AffineParameters updateNorm;

    /** The parameters of an {@link Affine}. */
    private record AffineParameters(@Nullable Parameter weight, @Nullable Parameter bias) {}

    /** The parameters of a {@link GruCell}. */
    private record GruParameters(
            Parameter inputWeight,
            Parameter stateWeight,
            Parameter inputBias,
            Parameter stateBias) {}

    private SlotAttention(Builder builder) {
        dim = builder.dim;
        featureDim = builder.featureDim;
        kvqDim = builder.kvqDim();
        heads = builder.heads;
        iterations = builder.iterations;
        eps = builder.eps;
        normEps = builder.normEps;
        projectionBias = builder.projectionBias;
        implicitDifferentiation = builder.implicitDifferentiation;
        variant = builder.variant;
        feedForward = builder.feedForward;
        attended = builder.attended;
        inputs = new SlotAttentionInputs(featureDim, dim);

        query = projection("to_q", dim);
        key = projection("to_k", featureDim);
        value = projection("to_v", featureDim);
        gru = variant.has(Part.GRU) ? gru() : null;
        boolean norms = variant.has(Part.LAYER_NORMS);
        inputNorm = norm(norms, "norm_input", featureDim);
        slotNorm = norm(norms, "norm_slots", dim);
        updateNorm =
                norm(variant.aggregation() == Aggregation.NORMALIZED_SUM, "norm_updates", kvqDim);
        if (feedForward != null) {
            addChildBlock("ff_mlp", feedForward);
        }
    }

    private AffineParameters projection(String name, long in) {
        if (!variant.has(Part.PROJECTIONS)) {
            return new AffineParameters(null, null);
        }
        Initializer start = StartingValues.linear(in);
        return new AffineParameters(
                declare(name + ".weight", Parameter.Type.WEIGHT, start, kvqDim, in),
                projectionBias
                        ? declare(name + ".bias", Parameter.Type.BIAS, start, kvqDim)
                        : null);
    }

    private GruParameters gru() {
        Initializer start = StartingValues.linear(dim);
        return new GruParameters(
                declare("gru.weight_ih", Parameter.Type.WEIGHT, start, 3L * dim, kvqDim),
                declare("gru.weight_hh", Parameter.Type.WEIGHT, start, 3L * dim, dim),
                declare("gru.bias_ih", Parameter.Type.BIAS, start, 3L * dim),
                declare("gru.bias_hh", Parameter.Type.BIAS, start, 3L * dim));
    }

    private AffineParameters norm(boolean there, String name, long size) {
        return there
                ? new AffineParameters(
                        declare(name + ".weight", Parameter.Type.GAMMA, Initializer.ONES, size),
                        declare(name + ".bias", Parameter.Type.BETA, Initializer.ZEROS, size))
                : new AffineParameters(null, null);
    }

    /** What the inputs must be. */
    SlotAttentionInputs inputs() {
        return inputs;
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
        return group(parameterStore, features, conditioning, null, training);
    }

    /**
     * Groups features into slots, of which some may be masked.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F)
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, D), attention (B, K, N) and the slot mask
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        return group(parameterStore, features, conditioning, slotMask, training, null);
    }

    /**
     * Groups features in inference, and keeps the attention of every iteration. With implicit
     * differentiation there are T + 1 iterations.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F)
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @return what {@code group} gives, and the attention (B, T, K, N)
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public AttentionTrace<PerceptualGroupingOutput> trace(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask) {
        NDList attentions = new NDList();
        PerceptualGroupingOutput out =
                group(parameterStore, features, conditioning, slotMask, false, attentions);
        return new AttentionTrace<>(out, attentions.head());
    }

    /** Groups, and adds the attention (B, T, K, N) to a list if there is one. */
    PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training,
            @Nullable NDList attentions) {
        boolean traced = attentions != null;
        NDArray x = features.images(who());
        NDArray start = inputs.check(who(), x, conditioning, slotMask);
        SlotAttentionWeights weights = weights(parameterStore, x, training);
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
                                                iterate(
                                                        parameterStore,
                                                        weights,
                                                        images,
                                                        training,
                                                        traced));
                        NDManager owner = x.getManager();
                        if (attentions != null) {
                            attentions.add(scope.keep(out.get(2), owner));
                        }
                        return new PerceptualGroupingOutput(
                                scope.keep(out.get(0), owner),
                                scope.keep(out.get(1), owner),
                                SlotAttentionInputs.isEmpty(scope, slotMask, owner));
                    }
                });
    }

    /**
     * Slots and attention for features, conditioning and, where there is one, a slot mask; traced,
     * the attention of every iteration (B, T, K, N) as well.
     */
    private NDList iterate(
            ParameterStore store,
            SlotAttentionWeights weights,
            NDList in,
            boolean training,
            boolean traced) {
        NDArray x = weights.inputNorm().layerNorm(in.get(0), normEps);
        NDArray start = in.get(1);
        int times = implicitDifferentiation ? iterations + 1 : iterations;
        AttendedFeatures features =
                attended.make(weights, x, heads, eps, start.getShape().get(1), times);
        SlotAttentionIteration iteration =
                new SlotAttentionIteration(
                        weights,
                        features,
                        Math.sqrt(heads / (double) kvqDim),
                        eps,
                        variant,
                        in.size() > 2 ? in.get(2) : null,
                        slots -> SlotFeedForward.apply(who(), feedForward, store, slots, training));
        NDList seen = traced ? new NDList() : null;
        NDList out;
        if (implicitDifferentiation) {
            NDArray fixedPoint =
                    NoGraph.during(() -> iteration.repeat(start, iterations, seen).get(0));
            out = iteration.repeat(fixedPoint, 1, seen);
        } else {
            out = iteration.repeat(start, iterations, seen);
        }
        if (seen != null) {
            out.add(NDArrays.stack(seen, 1));
        }
        return out;
    }

    private SlotAttentionWeights weights(ParameterStore store, NDArray like, boolean training) {
        return new SlotAttentionWeights(
                kvqDim,
                values(store, query, like, training),
                values(store, key, like, training),
                values(store, value, like, training),
                gru == null
                        ? null
                        : new GruCell(
                                value(store, gru.inputWeight, like, training),
                                value(store, gru.stateWeight, like, training),
                                value(store, gru.inputBias, like, training),
                                value(store, gru.stateBias, like, training)),
                values(store, inputNorm, like, training),
                values(store, slotNorm, like, training),
                values(store, updateNorm, like, training),
                normEps);
    }

    private Affine values(
            ParameterStore store, AffineParameters of, NDArray like, boolean training) {
        return new Affine(
                of.weight == null ? null : value(store, of.weight, like, training),
                of.bias == null ? null : value(store, of.bias, like, training));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList list,
            boolean training,
            @Nullable PairList<String, Object> params) {
        GroupingInputs in = GroupingInputs.parse(who(), list, SlotAttentionInputs.NAMES);
        return group(
                        parameterStore,
                        in.extracted(),
                        in.get(GroupingInputs.CONDITIONING),
                        in.get(GroupingInputs.SLOT_MASK),
                        training)
                .toNDList();
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
            feedForward.initialize(manager, dataType, new Shape(-1, -1, dim));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("dim", dim);
        options.put("featureDim", featureDim);
        options.put("kvqDim", kvqDim);
        options.put("heads", heads);
        options.put("projectionBias", projectionBias);
        options.put("feedForward", feedForward != null);
        if (!variant.equals(SlotAttentionVariant.PAPER)) {
            // Only then, so that parameters that were saved before there were variants can be read.
            options.put("variant", variant);
        }
        return options;
    }

    /**
     * Starts the description of a Slot Attention block.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotAttention}. */
    public static final class Builder {
        private int dim;
        private int featureDim;
        private @Nullable Integer kvqDim;
        private int heads = 1;
        private int iterations = 3;
        private double eps = 1e-8;
        private double normEps = Ops.LAYER_NORM_EPS;
        private @Nullable Block feedForward;
        private boolean projectionBias;
        private boolean implicitDifferentiation;
        private SlotAttentionVariant variant = SlotAttentionVariant.PAPER;
        private AttendedFeatures.Choice attended = AttendedFeatures::of;

        private Builder() {}

        /** For tests: one form of the features whatever it costs. */
        Builder attendedBy(AttendedFeatures.Choice choice) {
            attended = choice;
            return this;
        }

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
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
         * Sets the size of keys, values and queries, C; all heads together.
         *
         * @param kvqDim a multiple of the number of heads; the slots' size if not set
         * @return this
         */
        public Builder optKvqDim(int kvqDim) {
            this.kvqDim = kvqDim;
            return this;
        }

        /**
         * Sets the number of heads, H.
         *
         * @param heads at least 1; 1 if not set
         * @return this
         */
        public Builder optHeads(int heads) {
            this.heads = heads;
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
         * Sets what is added to the attention before it is normalised over features.
         *
         * @param eps at least 0; 1e-8 if not set. In float16 anything below 6e-8 counts as 0
         * @return this
         */
        public Builder optEps(double eps) {
            this.eps = eps;
            return this;
        }

        /**
         * Sets what the layer normalisations of features and slots add to the variance. A {@link
         * FeedForward} has its own.
         *
         * @param normEps above 0; 1e-5 if not set, as in PyTorch. Keras and Flax have other
         *     defaults
         * @return this
         */
        public Builder optNormEps(double normEps) {
            this.normEps = normEps;
            return this;
        }

        /**
         * Sets a block that is applied to the slots after each GRU update, {@link FeedForward} for
         * instance. Residual and normalisation are its own affair.
         *
         * @param feedForward from (B, K, D) to (B, K, D)
         * @return this
         */
        public Builder optFeedForward(Block feedForward) {
            this.feedForward = feedForward;
            return this;
        }

        /**
         * Sets whether the projections to keys, values and queries have biases.
         *
         * @param projectionBias false if not set
         * @return this
         */
        public Builder optProjectionBias(boolean projectionBias) {
            this.projectionBias = projectionBias;
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
         * Sets which parts of the paper's module are left out or replaced.
         *
         * @param variant {@link SlotAttentionVariant#PAPER} if not set
         * @return this
         */
        public Builder optVariant(SlotAttentionVariant variant) {
            this.variant = variant;
            return this;
        }

        private int kvqDim() {
            return kvqDim == null ? dim : kvqDim;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotAttention build() {
            String who = "SlotAttention: ";
            Check.option(dim > 0, who + "dim must be at least 1, got " + dim);
            Check.option(featureDim > 0, who + "featureDim must be at least 1, got " + featureDim);
            Check.option(heads > 0, who + "heads must be at least 1, got " + heads);
            int c = kvqDim();
            Check.option(c > 0, who + "kvqDim must be at least 1, got " + c);
            Check.option(
                    c % heads == 0,
                    who + "kvqDim must be a multiple of heads, got " + c + " and " + heads);
            Check.option(iterations > 0, who + "iterations must be at least 1, got " + iterations);
            Check.option(
                    eps >= 0 && eps < Double.POSITIVE_INFINITY,
                    who + "eps must be at least 0 and finite, got " + eps);
            Check.option(
                    normEps > 0 && normEps < Double.POSITIVE_INFINITY,
                    who + "normEps must be above 0 and finite, got " + normEps);
            checkLeftOut(who, c);
            return new SlotAttention(this);
        }

        private void checkLeftOut(String who, int c) {
            Check.option(
                    variant.has(Part.GRU) || c == dim,
                    who + "kvqDim must be dim without a GRU, got " + c + " and " + dim);
            if (variant.has(Part.PROJECTIONS)) {
                return;
            }
            Check.option(
                    c == dim && featureDim == dim,
                    who
                            + "dim, featureDim and kvqDim must be equal without projections, got "
                            + dim
                            + ", "
                            + featureDim
                            + " and "
                            + c);
            Check.option(heads == 1, who + "heads must be 1 without projections, got " + heads);
            Check.option(!projectionBias, who + "projectionBias must be false without projections");
        }
    }
}
