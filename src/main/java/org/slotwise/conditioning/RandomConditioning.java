package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Pass;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Slots that start as draws from one normal distribution, whose mean and deviation are learnt.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), Algorithm 1,
 * line 1; in the form of {@code ocl.conditioning.RandomConditioning}.
 *
 * <pre>{@code
 * s = mu + exp(logsigma) * noise                   noise ~ N(0, 1)
 * }</pre>
 *
 * <p>mu and logsigma (1, 1, D) are shared by all slots, so that K may change from call to call; as
 * a block on lists it makes the number of slots that it was built with. Both start as Xavier
 * uniform draws, in ±√(3 / D), learnt or not.
 *
 * <p>With a seed the noise comes from a generator of the block's own: successive calls continue its
 * stream, a new block with the same seed repeats it, and the numbers are the same on every device.
 * Several threads may draw; each gets a connected part of the stream. Where the stream stands is
 * not saved with the parameters.
 */
public final class RandomConditioning extends ConditioningBlock implements Scriptable {

    private final boolean learnMean;
    private final boolean learnDeviation;
    private final boolean quasiRandom;
    private final Parameter mean;
    private final Parameter logDeviation;

    private RandomConditioning(Builder builder) {
        super(builder, false, builder::noise);
        learnMean = builder.learnMean;
        learnDeviation = builder.learnDeviation;
        quasiRandom = builder.quasiRandom;
        Initializer xavier = StartingValues.xavier(dim(), dim());
        mean = declarer().other("slots_mu", xavier, learnMean, 1, 1, dim());
        logDeviation = declarer().other("slots_logsigma", xavier, learnDeviation, 1, 1, dim());
    }

    @Override
    NDArray start(Pass pass, long batch, long count, Supplier<NDArray> noise) {
        // DJL unfreezes what is not learnt when it trains a model that was loaded.
        NDArray mu = learnMean ? pass.value(mean) : pass.value(mean).stopGradient();
        NDArray s = pass.value(logDeviation);
        NDArray logSigma = learnDeviation ? s : s.stopGradient();
        return noise.get().mul(logSigma.exp()).add(mu);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        Check.option(!quasiRandom, who() + ": quasi-random draws cannot be written in TorchScript");
        return ScriptModule.builder("RandomConditioning")
                .parameter("slots_mu", mean)
                .parameter("slots_logsigma", logDeviation)
                .setCode(ConditioningScript.drawn(dim(), slots(), false))
                .build();
    }

    /**
     * Starts the description of a random conditioning.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link RandomConditioning}. */
    public static final class Builder extends ConditioningBlock.Builder<Builder> {
        private boolean learnMean = true;
        private boolean learnDeviation = true;
        private @Nullable Long seed;
        private boolean quasiRandom;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets whether the mean is learnt.
         *
         * @param learnMean true if not set; false keeps it as it starts or was loaded
         * @return this
         */
        public Builder optLearnMean(boolean learnMean) {
            this.learnMean = learnMean;
            return this;
        }

        /**
         * Sets whether the deviation is learnt.
         *
         * @param learnDeviation true if not set; false keeps it as it starts or was loaded
         * @return this
         */
        public Builder optLearnDeviation(boolean learnDeviation) {
            this.learnDeviation = learnDeviation;
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
         * Sets whether the slots of an image are spread evenly over the distribution, rather than
         * drawn one by one: as scrambled points of Sobol's sequence. Each slot by itself is
         * distributed as otherwise, and images are independent. OCLF's {@code
         * RandomConditioningWithQMCSampling} is alike, but goes on in one sequence from image to
         * image.
         *
         * @param quasiRandom false if not set
         * @return this
         */
        public Builder optQuasiRandom(boolean quasiRandom) {
            this.quasiRandom = quasiRandom;
            return this;
        }

        private Noise noise() {
            if (!quasiRandom) {
                return new NormalNoise(seed);
            }
            Check.option(
                    dim <= SobolNoise.MAX_DIM,
                    "RandomConditioning: dim must be at most "
                            + SobolNoise.MAX_DIM
                            + " if quasi-random, got "
                            + dim);
            return new SobolNoise(dim, seed);
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public RandomConditioning build() {
            return new RandomConditioning(this);
        }
    }
}
