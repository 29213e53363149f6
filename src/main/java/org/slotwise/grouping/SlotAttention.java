package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotAttentionVariant.Part;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerNorm;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

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
public final class SlotAttention extends IterativeGrouping implements TracedGrouping, Scriptable {

    private final int kvqDim;
    private final int heads;
    private final boolean projectionBias;
    private final SlotAttentionVariant variant;
    private final AttendedFeatures.Choice attended;
    private final SlotAttentionInputs inputs;
    private final SlotAttentionLayers layers;
    private final @Nullable SlotAttentionSteps steps; // null for others than the paper's module

    private SlotAttention(Builder builder) {
        super(builder);
        kvqDim = builder.kvqDim();
        heads = builder.heads;
        projectionBias = builder.projectionBias;
        variant = builder.variant;
        attended = builder.attended == null ? AttendedFeatures::of : builder.attended;
        inputs = new SlotAttentionInputs(featureDim, dim);
        layers = SlotAttentionLayers.of(declarer(), builder);
        steps =
                builder.attended == null
                        ? SlotAttentionSteps.of(layers, variant, heads, feedForward, eps)
                        : null;
    }

    /** What the inputs must be. */
    SlotAttentionInputs inputs() {
        return inputs;
    }

    /** How the iterations are computed in one go, if they can be. */
    @Nullable SlotAttentionSteps steps() {
        return steps;
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training) {
        return group(parameterStore, features, conditioning, slotMask, training, null);
    }

    /** {@inheritDoc} */
    @Override
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
        NDList in = inputs.list(who(), x, conditioning, slotMask);
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> ImageGroups.map(in, images -> iterate(pass, images, traced)));
        if (attentions != null) {
            attentions.add(out.get(2));
        }
        return new PerceptualGroupingOutput(
                out.get(0), out.get(1), SlotAttentionInputs.isEmpty(slotMask, x));
    }

    /**
     * Slots and attention for features, conditioning and, where there is one, a slot mask; traced,
     * the attention of every iteration (B, T, K, N) as well.
     */
    private NDList iterate(Pass pass, NDList in, boolean traced) {
        if (steps != null && !traced && steps.fit(in, times(pass.training()))) {
            return take(steps, pass, in.get(0), in.get(1));
        }
        NDArray x = layers.inputNorm().apply(pass, in.get(0));
        NDArray start = in.get(1);
        AttendedFeatures features =
                attended.make(
                        pass,
                        layers,
                        x,
                        heads,
                        eps,
                        start.getShape().get(1),
                        times(pass.training()));
        SlotAttentionIteration iteration =
                new SlotAttentionIteration(
                        pass,
                        layers,
                        features,
                        Math.sqrt(heads / (double) kvqDim),
                        eps,
                        variant,
                        SlotAttentionInputs.slotMask(in),
                        slots -> feed(pass, slots));
        NDList seen = traced ? new NDList() : null;
        int times = iterations(pass.training());
        NDList out;
        if (implicitDifferentiation) {
            NDArray fixedPoint = NoGraph.during(() -> iteration.repeat(start, times, seen).get(0));
            out = iteration.repeat(fixedPoint, 1, seen);
        } else {
            out = iteration.repeat(start, times, seen);
        }
        if (seen != null) {
            out.add(NDArrays.stack(seen, 1));
        }
        return out;
    }

    private NDList take(SlotAttentionSteps steps, Pass pass, NDArray features, NDArray start) {
        if (!implicitDifferentiation || !NoGraph.isRecording()) {
            return steps.take(pass, features, start, times(pass.training()));
        }
        int times = iterations(pass.training());
        NDArray fixedPoint = NoGraph.during(() -> steps.take(pass, features, start, times).get(0));
        return steps.take(pass, features, fixedPoint, 1);
    }

    private int times(boolean training) {
        return iterations(training) + (implicitDifferentiation ? 1 : 0);
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return inputs.outputShapes(who(), inputShapes[0], inputShapes, 1);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("featureDim", featureDim)
                .and("kvqDim", kvqDim)
                .and("heads", heads)
                .and("projectionBias", projectionBias)
                .and("feedForward", feedForward != null)
                // Parameters that were saved before there were variants can be read.
                .andUnless(variant.equals(SlotAttentionVariant.PAPER), "variant", variant);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return new SlotAttentionScript(
                        layers,
                        feedForward,
                        variant,
                        heads,
                        iterations,
                        eps,
                        implicitDifferentiation)
                .module();
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
    public static final class Builder extends IterativeGrouping.Builder<Builder> {
        private @Nullable Integer kvqDim;
        private int heads = 1;
        double normEps = LayerNorm.EPS;
        boolean projectionBias;
        SlotAttentionVariant variant = SlotAttentionVariant.PAPER;
        private AttendedFeatures.@Nullable Choice attended;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /** For tests: one form of the features whatever it costs. */
        Builder attendedBy(AttendedFeatures.Choice choice) {
            attended = choice;
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
         * Sets what the layer normalisations of features and slots add to the variance. A {@link
         * FeedForward} has its own.
         *
         * @param normEps from 1e-30 to 1; 1e-5 if not set, as in PyTorch. Keras and Flax have other
         *     defaults
         * @return this
         */
        public Builder optNormEps(double normEps) {
            this.normEps = normEps;
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
         * Sets which parts of the paper's module are left out or replaced.
         *
         * @param variant {@link SlotAttentionVariant#PAPER} if not set
         * @return this
         */
        public Builder optVariant(SlotAttentionVariant variant) {
            this.variant = variant;
            return this;
        }

        int kvqDim() {
            return kvqDim == null ? dim : kvqDim;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotAttention build() {
            String who = "SlotAttention";
            check(who);
            Check.atLeast(who, "heads", heads, 1);
            int c = kvqDim();
            Check.atLeast(who, "kvqDim", c, 1);
            Check.option(
                    c % heads == 0,
                    who + ": kvqDim must be a multiple of heads, got " + c + " and " + heads);
            Limits.normEps(who, "normEps", normEps);
            checkLeftOut(who + ": ", c);
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
