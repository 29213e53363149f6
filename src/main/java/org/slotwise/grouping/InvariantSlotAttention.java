package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.FeedForward;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Slot Attention whose slots have positions and see features relative to them: what a slot says of
 * an object does not depend on where the object is.
 *
 * <p>Source: Biza et al., "Invariant Slot Attention: Object Discovery with Slot-Centric Reference
 * Frames" (2023), with positions only ("ISA-T" there).
 *
 * <pre>{@code
 * x = LayerNorm(features)                          k = Wk x      v = Wv x
 * T times:
 *   z = LayerNorm(s)       q = Wq z       d_j = 2 (p_j - P)
 *   a = softmax over slots of  q . k / sqrt(D) - exp(g(z) - 2 sigma) |d|^2 / 2 + r(z) . d
 *   w = (a + eps) / sum over features of (a + eps)
 *   c = sum over features of  w p
 *   h_j = relu(Wr x_j + br + Wp phi(4 (p_j - c)))
 *   u = sum of w v  +  Wo (sum of w h) + bo  +  Wm [m, |m|] + bm       m = 2 (c - P)
 *   s = feedForward(GRU(u, s))                     if there is a feed-forward
 *   P = c
 * }</pre>
 *
 * <ul>
 *   <li>features (B, N, F) with their positions p (N, 2) in [0, 1]; conditioning (B, K, D): the
 *       initial s; slot positions (B, K, 2): the initial P. All are of the parameters' type.
 *   <li>objects: the final s (B, K, D); slot positions: the final P (B, K, 2); feature
 *       attributions: the last a, before eps (B, K, N), which sums to 1 over slots.
 *   <li>g and r are linear, sigma is a number that is learnt; phi gives the sines and cosines of L
 *       frequencies, t, sin(k pi t / 2), cos(k pi t / 2). h has R elements.
 * </ul>
 *
 * <p>Instead of positions the slots may be given a first guess of what belongs to each of them
 * ({@link #refine}): it takes the place of the first a, and no slot is told that it moved then.
 *
 * <p>On an {@link NDList} the inputs are, in this order where they carry no names: features,
 * positions, conditioning, slot_positions; the outputs are those of {@link
 * PositionedSlots#toNDList}. Without slot positions they are drawn uniformly from [0, 1) with the
 * engine's generator.
 *
 * <p>How this differs from the paper. There, slots have a size and a rotation as well; keys are
 * made from features and relative positions by a perceptron, here relative positions enter the
 * logits by a bell of learnt width and a slope, both read from the slot. Values see positions
 * relative to the centroid c of this iteration's attention, not of the last one's. A slot is told
 * how far it moved. With implicit differentiation the iterations before the last one record no
 * graph; unlike in {@link SlotAttention}, T counts all iterations.
 */
public final class InvariantSlotAttention extends IterativeGrouping implements Scriptable {

    private static final String[] INPUTS = {
        FeatureExtractorOutput.FEATURES,
        FeatureExtractorOutput.POSITIONS,
        GroupingInputs.CONDITIONING,
        PositionedSlots.SLOT_POSITIONS
    };

    private final int relativeDim;
    private final int frequencies;
    private final InvariantSlotAttentionLayers layers;
    private final InvariantSlotAttentionSteps steps = new InvariantSlotAttentionSteps(this::script);

    private final @Nullable InvariantSlotAttentionLoops loops; // null with another perceptron

    private InvariantSlotAttention(Builder builder) {
        super(builder);
        relativeDim = builder.relativeDim == 0 ? dim : builder.relativeDim;
        frequencies = builder.frequencies;
        layers =
                InvariantSlotAttentionLayers.of(
                        declarer(), dim, featureDim, relativeDim, frequencies);
        loops =
                feedForward == null || feedForward.getClass() == FeedForward.class
                        ? new InvariantSlotAttentionLoops(
                                layers, (FeedForward) feedForward, eps, frequencies)
                        : null;
    }

    /** Groups features, from slot positions that are drawn uniformly. {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        return group(parameterStore, features, conditioning, null, iterations(training), training)
                .grouping();
    }

    /**
     * Groups features into slots that start at given positions.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotPositions the slots' initial positions (B, K, 2); null to draw them
     * @param times how many iterations, from 1 to 10,000; more than in training often separates
     *     better
     * @param training whether to record a graph for gradients
     * @return slots, their positions and the attention
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device,
     *     or {@code times} is below 1
     */
    public PositionedSlots group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotPositions,
            int times,
            boolean training) {
        return group(
                parameterStore,
                features,
                new PositionedStart(conditioning, slotPositions, null),
                times,
                training,
                null);
    }

    /**
     * Groups features into slots, from a first guess of which features belong together, such as
     * {@link StickBreakingGrouping} gives. The guess stands for the attention of the first
     * iteration; slots that it calls empty take no part.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param guess attributions (B, K, N), at least 0; and, where it has them, the empty slots (B,
     *     K). Its objects are not used
     * @param times how many iterations, the first one included, from 1 to 10,000
     * @param training whether to record a graph for gradients
     * @return slots, their positions, the attention, and a copy of the guess's empty slots; an
     *     empty slot has no attention (but in the first iteration the guess's)
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device,
     *     or {@code times} is below 1
     * @throws IllegalStateException if the guess has no attributions
     */
    public PositionedSlots refine(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            PerceptualGroupingOutput guess,
            int times,
            boolean training) {
        return group(
                parameterStore,
                features,
                new PositionedStart(conditioning, null, guess),
                times,
                training,
                null);
    }

    /**
     * Groups features in inference, and keeps the attention of every iteration.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotPositions the slots' initial positions (B, K, 2); null to draw them
     * @param times how many iterations, T, from 1 to 10,000
     * @return what {@code group} gives, to rounding, and the attention (B, T, K, N)
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device,
     *     or {@code times} is below 1
     */
    public AttentionTrace<PositionedSlots> trace(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotPositions,
            int times) {
        return trace(
                parameterStore,
                features,
                new PositionedStart(conditioning, slotPositions, null),
                times);
    }

    /**
     * Refines a guess in inference, and keeps the attention of every iteration; the first is the
     * guess.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param guess attributions (B, K, N) and, where it has them, the empty slots (B, K)
     * @param times how many iterations, T, the first one included, from 1 to 10,000
     * @return what {@code refine} gives, to rounding, and the attention (B, T, K, N)
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device,
     *     or {@code times} is below 1
     * @throws IllegalStateException if the guess has no attributions
     */
    public AttentionTrace<PositionedSlots> traceRefinement(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            PerceptualGroupingOutput guess,
            int times) {
        return trace(
                parameterStore, features, new PositionedStart(conditioning, null, guess), times);
    }

    private AttentionTrace<PositionedSlots> trace(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            PositionedStart start,
            int times) {
        NDList attentions = new NDList();
        PositionedSlots out = group(parameterStore, features, start, times, false, attentions);
        return new AttentionTrace<>(out, attentions.head());
    }

    private PositionedSlots group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            PositionedStart start,
            int times,
            boolean training,
            @Nullable NDList attentions) {
        NDArray x = features.images(who());
        NDArray p = start.check(who(), features, x, featureDim, dim);
        Limits.count(who(), "times", times, 1, Limits.ITERATIONS);
        long numbers = start.count() * x.getShape().get(1) * relativeDim;
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDList in = new NDList(x);
                            in.addAll(start.arrays(x));
                            return ImageGroups.map(
                                    numbers,
                                    in,
                                    images ->
                                            iterate(
                                                    pass,
                                                    images,
                                                    p,
                                                    start.isGuess(),
                                                    times,
                                                    attentions != null));
                        });
        if (attentions != null) {
            attentions.add(out.get(3));
        }
        return new PositionedSlots(
                out.get(0),
                out.get(1),
                out.get(2),
                SlotAttentionInputs.isEmpty(start.isEmpty(), x));
    }

    /** Slots, their positions, the attention; traced, that of all iterations as well. */
    private NDList iterate(
            Pass pass, NDList in, NDArray positions, boolean guessed, int times, boolean traced) {
        boolean alone = !traced && !pass.training() && !(guessed && times == 1);
        if (alone
                && loops != null
                && isSmall(in.get(0), in.get(0).getShape(), in.get(1).getShape(), times)
                && steps.fit(pass, in.get(0))) {
            try (NDList laid = steps.lay(in.get(0))) {
                return loops.take(
                        pass,
                        laid,
                        positions,
                        in.subNDList(1),
                        guessed,
                        in.size() > 3 ? in.get(3) : null,
                        times);
            }
        }
        NDArray x = layers.inputNorm().apply(pass, in.get(0));
        NDArray relative = layers.relativeFeature().apply(pass, x);
        NDList start = in.subNDList(1);
        NDArray slotMask = in.size() > 3 ? in.get(3) : null;
        IntFunction<NDList> together =
                traced || !steps.fit(pass, x)
                        ? null
                        : t -> steps.take(x, relative, positions, start, guessed, slotMask, t);
        // A guess alone is no iteration to be taken; its copy is what it gives.
        if (together != null && !pass.training() && !(guessed && times == 1)) {
            return together.apply(times);
        }
        return new InvariantSlotAttentionIteration(
                        pass,
                        layers,
                        x,
                        relative,
                        positions,
                        frequencies,
                        eps,
                        slotMask,
                        slots -> feed(pass, slots))
                .run(start, guessed, times, implicitDifferentiation, traced, together);
    }

    /**
     * Whether a call without a graph is so small that loops of Java's own compute its iterations
     * sooner than the engine, for those who compute the block with others in one call.
     *
     * @param like an array of the features' type, where they are
     * @param features (B, N, F)
     * @param conditioning (B, K, D)
     * @param times how many iterations, from 1 to 10,000
     * @return whether it is
     * @throws IllegalArgumentException if a shape is another, or {@code times} out of range
     */
    public boolean isSmall(NDArray like, Shape features, Shape conditioning, int times) {
        Check.shape(who(), FeatureExtractorOutput.FEATURES, features, "B", "N", featureDim);
        Check.shape(who(), GroupingInputs.CONDITIONING, conditioning, features.get(0), "K", dim);
        Limits.count(who(), "times", times, 1, Limits.ITERATIONS);
        return loops != null && loops.fit(like, features, conditioning, relativeDim, times);
    }

    @Override
    String[] inputNames() {
        return INPUTS;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        GroupingInputs in = inputs(inputs);
        NDArray at = in.get(PositionedSlots.SLOT_POSITIONS);
        PositionedSlots slots =
                group(
                        parameterStore,
                        in.extracted(),
                        in.conditioning(),
                        at,
                        iterations(training),
                        training);
        return slots.toNDList(); // with their positions
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape features = inputShapes[0];
        Check.shape(who(), "features", features, "B", "N", featureDim);
        int came = inputShapes.length;
        Check.option(
                came > 2, who() + ": expected features, positions and conditioning, got " + came);
        Shape start = inputShapes[2];
        long batch = features.get(0);
        Check.shape(who(), GroupingInputs.CONDITIONING, start, batch, "K", dim);
        long k = start.get(1);
        return new Shape[] {
            new Shape(batch, k, dim), new Shape(batch, k, features.get(1)), new Shape(batch, k, 2)
        };
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("featureDim", featureDim)
                .and("relativeDim", relativeDim)
                .and("frequencies", frequencies)
                .and("feedForward", feedForward != null);
    }

    /** In as many iterations as the block was built with. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return new InvariantSlotAttentionScript(
                        layers,
                        feedForward,
                        dim,
                        frequencies,
                        iterations,
                        eps,
                        implicitDifferentiation)
                .module();
    }

    /**
     * Starts the description of a block.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link InvariantSlotAttention}. */
    public static final class Builder extends IterativeGrouping.Builder<Builder> {
        private int relativeDim;
        private int frequencies = 3;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the size of what is made of a feature and its relative position, R.
         *
         * @param relativeDim at least 1; the slots' size if not set
         * @return this
         */
        public Builder optRelativeDim(int relativeDim) {
            Check.atLeast("InvariantSlotAttention", "relativeDim", relativeDim, 1);
            this.relativeDim = relativeDim;
            return this;
        }

        /**
         * Sets how many frequencies of each relative coordinate the values see, L.
         *
         * @param frequencies from 0 to 1,000; 3 if not set
         * @return this
         */
        public Builder optFrequencies(int frequencies) {
            this.frequencies = frequencies;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public InvariantSlotAttention build() {
            String who = "InvariantSlotAttention";
            check(who);
            Limits.count(who, "frequencies", frequencies, 0, Limits.LAYERS);
            return new InvariantSlotAttention(this);
        }
    }
}
