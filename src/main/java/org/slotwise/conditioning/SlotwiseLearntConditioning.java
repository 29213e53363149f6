package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.StartingValues;

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
public final class SlotwiseLearntConditioning extends ConditioningBlock {

    private SlotwiseLearntConditioning(Builder builder) {
        super(builder.dim, builder.slots, true, () -> new NormalNoise(builder.seed));
        long k = slots();
        long d = dim();
        declare("slots_mu", Parameter.Type.OTHER, StartingValues.normal(1), 1, k, d);
        declare("slots_logsigma", Parameter.Type.OTHER, StartingValues.xavier(k * d, d), 1, k, d);
    }

    @Override
    NDArray start(List<NDArray> values, long batch, long slots, Supplier<NDArray> noise) {
        NDArray mu = LearntConditioning.firstSlots(values.get(0), slots);
        NDArray logSigma = LearntConditioning.firstSlots(values.get(1), slots);
        return noise.get().mul(logSigma.exp()).add(mu);
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
    public static final class Builder {
        private int dim;
        private int slots;
        private @Nullable Long seed;

        private Builder() {}

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
