package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.PlaceMoments;
import org.slotwise.internal.Scalars;

/**
 * Slot Attention whose slots have a place and an extent, but for the first one, the ground, which
 * is everywhere.
 *
 * <p>Source: own. {@link SlotAttention} (Locatello et al. 2020) with what a mixture of Gaussians
 * over places says of each slot added to what the softmax takes: where what a slot had in the last
 * iteration lies and how far it extends, as in expectation maximisation. The first slot has the
 * density 1 all over the picture instead.
 *
 * <pre>{@code
 * x = LayerNorm(features)                          k = Wk x      v = Wv x
 * a = guess                                        without one, no g in the first iteration
 * T times:
 *   g = log share + log N(p; mean, covariance)     of a, for each slot and place p in [0, 1]²
 *   g = log share                                  for the first slot
 *   q = Wq LayerNorm(s)
 *   a = softmax over slots of  q . k / sqrt(D) + weight g        0 for masked slots
 *   w = (a + eps) / sum over features of (a + eps)
 *   s = feedForward(GRU(sum over features of  w v, s))
 * }</pre>
 *
 * <p>In the first iteration all shares are the same: a guess says what belongs together, not how
 * much there is of it. A slot of which nothing is guessed must be masked: it has no place.
 *
 * <ul>
 *   <li>features (B, N, F) with positions (N, 2) in [0, 1], conditioning (B, K, D), K at least 1:
 *       the initial s; features and conditioning of the parameters' type.
 *   <li>objects: the final s (B, K, D). Feature attributions: the last a, before eps (B, K, N).
 * </ul>
 *
 * <p>NaN or infinite features make the slots of their own image NaN and leave other images alone.
 */
public final class PlacedSlotAttention extends IterativeGrouping {

    private static final String GUESS = "guess";

    private final double placeWeight;
    private final SlotAttentionInputs inputs;
    private final SlotAttentionLayers layers;

    private PlacedSlotAttention(Builder builder) {
        super(builder);
        placeWeight = builder.placeWeight;
        inputs = new SlotAttentionInputs(featureDim, dim);
        layers =
                SlotAttentionLayers.of(
                        declarer(), SlotAttention.builder().setDim(dim).setFeatureDim(featureDim));
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        return refine(parameterStore, features, conditioning, null, null, training);
    }

    /**
     * Groups features, from a first guess of what belongs to each slot.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param guess attributions (B, K, N), at least 0; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, D) and attributions (B, K, N), owned by the manager of the features
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device
     */
    public PerceptualGroupingOutput refine(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray guess,
            boolean training) {
        return refine(parameterStore, features, conditioning, guess, null, training);
    }

    /**
     * Groups features, where some slots take no part.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), with positions (N, 2)
     * @param conditioning the slots' initial values (B, K, D)
     * @param guess attributions (B, K, N), at least 0; null for none
     * @param slotMask (B, K) boolean, true for slots that receive nothing; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, D), attributions (B, K, N), where a masked slot has 0, as have all where
     *     all are masked, and a copy of the mask, owned by the manager of the features
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device
     */
    public PerceptualGroupingOutput refine(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray guess,
            @Nullable NDArray slotMask,
            boolean training) {
        NDArray x = features.images(who());
        NDList in = new NDList(x, inputs.check(who(), x, conditioning, slotMask));
        long n = x.getShape().get(1);
        NDArray places =
                Check.present(who(), FeatureExtractorOutput.POSITIONS, features.positions());
        Check.shape(who(), FeatureExtractorOutput.POSITIONS, places, n, 2);
        Check.sameTypeAndDevice(who(), FeatureExtractorOutput.POSITIONS, places, "features", x);
        if (guess != null) {
            Shape slots = in.get(1).getShape();
            Check.shape(who(), GUESS, guess, slots.get(0), slots.get(1), n);
            Check.sameTypeAndDevice(who(), GUESS, guess, "features", x);
            in.add(guess);
        }
        if (slotMask != null) {
            in.add(slotMask);
        }
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDArray table = PlaceMoments.table(places);
                            return ImageGroups.map(
                                    in, some -> iterate(pass, some, table, guess != null));
                        });
        return new PerceptualGroupingOutput(
                out.get(0), out.get(1), SlotAttentionInputs.isEmpty(slotMask, x));
    }

    /** Of features, slots, a guess if there is one, and which slots are masked if some may be. */
    private NDList iterate(Pass pass, NDList in, NDArray table, boolean guessed) {
        NDArray x = layers.inputNorm().apply(pass, in.get(0));
        NDArray keys = layers.keys(pass, x).swapAxes(1, 2); // (B, D, N)
        NDArray values = layers.values(pass, x);
        double n = (double) values.getShape().get(1);
        NDArray s = in.get(1);
        NDArray a = guessed ? in.get(2) : null;
        int before = guessed ? 3 : 2;
        NDArray masked = in.size() > before ? in.get(before).expandDims(2) : null; // (B, K, 1)
        for (int t = 0; t < iterations(pass.training()); t++) {
            NDArray q = layers.query().apply(pass, layers.slotNorm().apply(pass, s));
            NDArray logits = q.mul(Scalars.like(q, 1 / Math.sqrt(dim))).matMul(keys);
            if (a != null) {
                logits = logits.add(placed(a, table, t > 0).mul(Scalars.like(q, placeWeight)));
            }
            a = SlotShares.of(logits, masked);
            NDArray total = a.sum(new int[] {2}, true).add(Scalars.like(a, n * eps));
            NDArray rest = values.sum(new int[] {1}, true).mul(Scalars.like(a, eps));
            NDArray u = a.matMul(values).add(rest).div(SlotShares.divisor(total, eps));
            s = feed(pass, Objects.requireNonNull(layers.gru()).step(pass, u, s));
        }
        return new NDList(s, Objects.requireNonNull(a));
    }

    /** g (B, K, N) of attributions a (B, K, N). */
    private static NDArray placed(NDArray a, NDArray table, boolean shares) {
        PlaceMoments moments = PlaceMoments.of(a, table);
        NDArray density = moments.logDensity(table);
        NDArray ground = density.get(":, :1").zerosLike();
        NDArray all = NDArrays.concat(new NDList(ground, density.get(":, 1:")), 1);
        return shares ? all.add(moments.share().log()) : all;
    }

    @Override
    String[] inputNames() {
        return GroupingInputs.POSITIONED;
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
                .and("placeWeight", placeWeight)
                .and("feedForward", feedForward != null);
    }

    /**
     * Starts the description of a block.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link PlacedSlotAttention}; implicit differentiation is not one of its ways. */
    public static final class Builder extends IterativeGrouping.Builder<Builder> {
        private double placeWeight = 0.5;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets how much places count beside what features are like.
         *
         * @param placeWeight from 0, not at all, to 10; 0.5 if not set
         * @return this
         */
        public Builder optPlaceWeight(double placeWeight) {
            this.placeWeight = placeWeight;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public PlacedSlotAttention build() {
            String who = "PlacedSlotAttention";
            check(who);
            Check.option(
                    0 <= placeWeight && placeWeight <= 10,
                    who + ": placeWeight must be in [0, 10], got " + placeWeight);
            Check.option(!implicitDifferentiation, who + ": implicitDifferentiation must be false");
            return new PlacedSlotAttention(this);
        }
    }
}
