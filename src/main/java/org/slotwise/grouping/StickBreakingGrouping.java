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
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;

/**
 * Stick-breaking grouping: slot after slot, a feature drawn from what is unexplained so far claims
 * the features that are like it.
 *
 * <p>Source: {@code ocl.perceptual_grouping.StickBreakingGrouping}, after the instance colouring
 * stick-breaking process of Engelcke et al., "GENESIS-V2: Inferring Unordered Object
 * Representations without Iterative Refinement" (2021), Algorithm 1.
 *
 * <pre>{@code
 * p = in_proj(x) / ||in_proj(x)||            in_proj = Linear, after a LayerNorm if asked for
 * scope = 1
 * K times:
 *   c      = p at the feature that maximises scope * max(U, eps)
 *   alpha  = max(exp(-||c - p||^2 / kernel_var), eps)      or another Kernel
 *   mask_k = scope * alpha
 *   scope  = scope * max(1 - alpha, eps)
 * object_k = out_proj(sum over features of mask_k x / max(sum of mask_k, eps))
 * }</pre>
 *
 * <ul>
 *   <li>x: features (B, N, F) of the parameters' type.
 *   <li>U: the conditioning, a draw from [0, 1), (B, N), of the features' type. Drawn with the
 *       engine's generator if not given; give it to repeat a result.
 *   <li>Objects (B, K, D), those of empty slots zero. Feature attributions: the masks (B, K, N), in
 *       [0, 1], those of empty slots as they are. Empty (B, K), as the {@link StoppingRule} says.
 *   <li>kernel_var is saved as its logarithm, also when it is not learnt.
 *   <li>If asked for, p is the semi-convolutional embedding of GENESIS-V2 instead (after Novotny et
 *       al., "Semi-convolutional Operators for Instance Segmentation", 2018), which starts as the
 *       positions (N, P) alone, so that the first slots are patches of the image: p = gate
 *       in_proj(x) + [0, 2 position - 1], where the positions are added to the last P elements, and
 *       the gate is one learnt number that starts at 0. So does the authors' implementation
 *       (applied-ai-lab/genesis, {@code SemiConv}).
 * </ul>
 *
 * <p>Unless slots are empty, the masks of a feature add up to 1 less what is left of its scope; if
 * the rule adds the unexplained, the masks of the slots that are not empty add up to 1, up to eps.
 *
 * <p>How this differs from the reference: when the unexplained is to be added and no slot is empty,
 * the reference overwrites the first slot's mask with ones; here the last slot holds what is
 * unexplained, and the first stays. Distances come from inner products, at a fraction of the cost:
 * a squared distance within rounding error of zero (below 3e-6 in float32 at F 768, 0.004 in
 * float16) counts as zero; in the semi-convolutional embedding these bounds are times the mean of
 * ||c||^2 and ||p||^2. GENESIS-V2's implementation keeps alphas in [0.01, 0.99] and passes
 * gradients beyond, compares embeddings of 8 elements rather than F, and leaves the last of K masks
 * to the rest of the scope, as {@link StoppingRule.Builder#optAddUnexplained} does; here all K have
 * a centre if not asked for. Norms below 6e-5 in float16, 1e-12 in other types, count as that.
 *
 * <p>NaN or infinite features make the slots of their own image NaN and leave other images alone.
 */
public final class StickBreakingGrouping extends GroupingBlock {

    private final int objectDim;
    private final int featureDim;
    private final int slots;
    private final boolean learnKernelVar;
    private final StoppingRule stoppingRule;
    private final double eps;
    private final double kernelVar;
    private final boolean detachFeatures;
    private final Kernel kernel;

    private final boolean inputLayerNorm;
    private final StickBreakingInputs inputs;
    private final StickBreakingLayers layers;

    private StickBreakingGrouping(Builder builder) {
        objectDim = builder.objectDim;
        featureDim = builder.featureDim;
        slots = builder.slots;
        learnKernelVar = builder.learnKernelVar;
        stoppingRule = builder.stoppingRule;
        eps = builder.eps;
        kernelVar = builder.kernelVar;
        detachFeatures = builder.detachFeatures;
        kernel = builder.kernel;
        inputLayerNorm = builder.inputLayerNorm;
        inputs = new StickBreakingInputs(who(), featureDim);
        layers = StickBreakingLayers.of(declarer(), builder);
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
     * The size of an object.
     *
     * @return D
     */
    public int objectDim() {
        return objectDim;
    }

    /**
     * The number of slots.
     *
     * @return K
     */
    public int slots() {
        return slots;
    }

    /**
     * {@inheritDoc}
     *
     * @param conditioning the draw U that decides among what is unexplained, (B, N), in [0, 1);
     *     null to draw it here
     */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        NDArray x = features.images(who());
        inputs.check(x, conditioning);
        NDArray positions = layers.gate() == null ? null : inputs.positions(features);
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDArray shift = positions == null ? null : inputs.shift(positions);
                            return ImageGroups.map(
                                    new NDList(x, StickBreakingInputs.uniform(x, conditioning)),
                                    images -> group(pass, images, shift));
                        });
        return new PerceptualGroupingOutput(out.get(0), out.get(1), out.get(2));
    }

    /** Objects (B, K, D), masks (B, K, N), and which slots are empty (B, K). */
    private NDList group(Pass pass, NDList images, @Nullable NDArray shift) {
        NDArray features = images.get(0);
        NDArray uniform = images.get(1);
        NDArray x = detachFeatures ? features.stopGradient() : features;
        NDArray logVar = pass.value(layers.kernelLogVar());
        if (!learnKernelVar) {
            // DJL unfreezes all parameters of a model that was loaded; this one stays as it is.
            logVar = logVar.stopGradient();
        }
        double least = StickBreaking.least(eps, x.getDataType());
        StickBreaking.Pieces pieces =
                new StickBreaking(x, y -> layers.projectIn(pass, y), shift, kernel, logVar, least)
                        .breakUp(uniform, slots, stoppingRule.addsUnexplained());
        StoppingRule.Verdict verdict = stoppingRule.apply(pieces.masks(), pieces.logScopes());
        NDArray masks = verdict.masks();
        NDArray empty = verdict.isEmpty();
        // object = out_proj(sum of mask x / max(sum of mask, eps)); zero in an empty slot
        NDArray total = Ops.clampMin(masks.sum(new int[] {2}, true), least);
        NDArray objects = layers.out().apply(pass, masks.batchMatMul(x).div(total));
        return new NDList(Ops.maskedFill(objects, empty.expandDims(2), 0), masks, empty);
    }

    /**
     * The attributions in TorchScript, of features that are compared by direction as they are, as
     * if the projection were the identity: {@code forward(features, uniform)} gives "guess" (B, K,
     * N) and "is_empty" (B, K), which {@link InvariantSlotAttention#refine} goes on from. There is
     * no parameter in it, and no gradient.
     *
     * @return a module
     * @throws IllegalArgumentException if features are not compared by direction alone, or the
     *     stopping rule has early termination
     */
    public ScriptModule guess() {
        Check.option(
                layers.gate() == null && !inputLayerNorm,
                who() + ": a guess compares features by their direction alone");
        return new StickBreakingScript(
                        kernel,
                        kernelVar,
                        StickBreaking.least(eps, DataType.FLOAT32),
                        slots,
                        stoppingRule)
                .module(featureDim);
    }

    @Override
    String[] inputNames() {
        return layers.gate() == null
                ? GroupingInputs.FEATURES_AND_CONDITIONING
                : GroupingInputs.POSITIONED;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape features = inputShapes[0];
        Check.shape(who(), "features", features, "B", "N", featureDim);
        long batch = features.get(0);
        return new Shape[] {
            new Shape(batch, slots, objectDim),
            new Shape(batch, slots, features.get(1)),
            new Shape(batch, slots)
        };
    }

    /** {@inheritDoc} */
    @Override
    protected void checkOptions(DataType type) {
        checkKernelVar(who(), kernelVar, type);
    }

    /** Beyond these bounds the variance, or the slope along it, is 0 or infinite in the type. */
    private static void checkKernelVar(String who, double kernelVar, DataType type) {
        boolean half = type == DataType.FLOAT16;
        Check.option(
                kernelVar >= (half ? 1e-4 : 1e-12) && kernelVar <= (half ? 1e4 : 1e12),
                who
                        + ": kernelVar must be from "
                        + (half ? "1e-4 to 1e4 in float16" : "1e-12 to 1e12")
                        + ", got "
                        + kernelVar);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("objectDim", objectDim)
                .and("featureDim", featureDim)
                .and("inputLayerNorm", inputLayerNorm)
                // What was saved before there was a choice stays readable.
                .andUnless(kernel == Kernel.GAUSSIAN, "kernel", kernel)
                .andUnless(layers.gate() == null, "semiConvolutional", true);
    }

    /**
     * Starts the description of a stick-breaking block.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link StickBreakingGrouping}. */
    public static final class Builder {
        int objectDim;
        int featureDim;
        private int slots;
        double kernelVar = 1;
        boolean learnKernelVar;
        private StoppingRule stoppingRule = StoppingRule.NEVER;
        private double eps = 1e-8;
        private boolean detachFeatures;
        boolean inputLayerNorm;
        private Kernel kernel = Kernel.GAUSSIAN;
        boolean semiConvolutional;

        private Builder() {}

        /**
         * Sets the size of an object, D.
         *
         * @param objectDim at least 1
         * @return this
         */
        public Builder setObjectDim(int objectDim) {
            this.objectDim = objectDim;
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
         * Sets the number of slots, K; of these some may turn out empty.
         *
         * @param slots from 1 to 65,536
         * @return this
         */
        public Builder setSlots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Sets the width of the kernel, or where it starts if it is learnt. Distances between
         * normalised features are at most 2.
         *
         * @param kernelVar from 1e-12 to 1e12, in float16 from 1e-4 to 1e4; 1 if not set
         * @return this
         */
        public Builder optKernelVar(double kernelVar) {
            this.kernelVar = kernelVar;
            return this;
        }

        /**
         * Sets whether the kernel's variance is trained.
         *
         * @param learnKernelVar false if not set
         * @return this
         */
        public Builder optLearnKernelVar(boolean learnKernelVar) {
            this.learnKernelVar = learnKernelVar;
            return this;
        }

        /**
         * Sets when a slot counts as empty.
         *
         * @param stoppingRule the rule; if not set, no slot is ever empty
         * @return this
         */
        public Builder optStoppingRule(StoppingRule stoppingRule) {
            this.stoppingRule = stoppingRule;
            return this;
        }

        /**
         * Sets the least value of alpha, of 1 - alpha, of U and of the sum of a mask.
         *
         * @param eps above 0 and below 1; 1e-8 if not set. In float16 anything below 0.001 counts
         *     as that
         * @return this
         */
        public Builder optEps(double eps) {
            this.eps = eps;
            return this;
        }

        /**
         * Sets whether the features are taken as constants, so that no gradient flows to what made
         * them. The projections are trained all the same.
         *
         * @param detachFeatures false if not set
         * @return this
         */
        public Builder optDetachFeatures(boolean detachFeatures) {
            this.detachFeatures = detachFeatures;
            return this;
        }

        /**
         * Sets whether the features pass a LayerNorm before the projection in which they are
         * compared.
         *
         * @param inputLayerNorm false if not set
         * @return this
         */
        public Builder optInputLayerNorm(boolean inputLayerNorm) {
            this.inputLayerNorm = inputLayerNorm;
            return this;
        }

        /**
         * Sets how much a centre claims, by distance.
         *
         * @param kernel {@link Kernel#GAUSSIAN} if not set
         * @return this
         */
        public Builder optKernel(Kernel kernel) {
            this.kernel = kernel;
            return this;
        }

        /**
         * Sets whether features are compared in the semi-convolutional embedding, which needs their
         * positions, rather than by direction.
         *
         * @param semiConvolutional false if not set
         * @return this
         */
        public Builder optSemiConvolutional(boolean semiConvolutional) {
            this.semiConvolutional = semiConvolutional;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public StickBreakingGrouping build() {
            String who = "StickBreakingGrouping";
            Check.atLeast(who, "objectDim", objectDim, 1);
            Check.atLeast(who, "featureDim", featureDim, 1);
            Limits.count(who, "slots", slots, 1, Limits.SLOTS);
            Check.positive(who, "kernelVar", kernelVar);
            checkKernelVar(who, kernelVar, DataType.FLOAT32);
            Check.option(eps > 0 && eps < 1, who + ": eps must be in (0, 1), got " + eps);
            return new StickBreakingGrouping(this);
        }
    }
}
