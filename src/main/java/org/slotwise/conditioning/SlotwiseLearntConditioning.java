package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Pass;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Slots that start as draws from normal distributions, each slot from its own, with learnt mean and
 * deviation.
 *
 * <p>Source: {@code ocl.conditioning.SlotwiseLearntConditioning} of the Object-Centric Learning
 * Framework.
 *
 * <pre>{@code
 * s_k = mu_k + exp(logsigma_k) * noise             noise ~ N(0, 1)
 * }</pre>
 *
 * <p>mu and logsigma are (1, K, D); mu starts as draws from N(0, 1), logsigma as Xavier uniform
 * draws, in ±√(6 / ((K + 1) D)). A call may ask for fewer slots than the block has: it gets the
 * first ones. A seed works as in {@link RandomConditioning}.
 */
public final class SlotwiseLearntConditioning extends ConditioningBlock implements Scriptable {

    private final Parameter mean;
    private final Parameter logDeviation;

    private SlotwiseLearntConditioning(Builder builder) {
        super(builder, true, () -> new NormalNoise(builder.seed));
        long k = slots();
        long d = dim();
        mean = declarer().other("slots_mu", StartingValues.normal(1), true, 1, k, d);
        Initializer xavier = StartingValues.xavier(k * d, d);
        logDeviation = declarer().other("slots_logsigma", xavier, true, 1, k, d);
    }

    @Override
    NDArray start(Pass pass, long batch, long count, Supplier<NDArray> noise) {
        NDArray mu = LearntConditioning.firstSlots(pass.value(mean), count);
        NDArray logSigma = LearntConditioning.firstSlots(pass.value(logDeviation), count);
        return noise.get().mul(logSigma.exp()).add(mu);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("SlotwiseLearntConditioning")
                .parameter("slots_mu", mean)
                .parameter("slots_logsigma", logDeviation)
                .setCode(ConditioningScript.drawn(dim(), slots(), true))
                .build();
    }

    /**
     * Starts the description of a slotwise learnt conditioning.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SlotwiseLearntConditioning}. */
    public static final class Builder extends ConditioningBlock.Builder<Builder> {
        private @Nullable Long seed;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets the seed of the noise.
         *
         * @param seed any number; without one the noise comes from the engine's generator
         * @return this
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SlotwiseLearntConditioning build() {
            return new SlotwiseLearntConditioning(this);
        }
    }
}
