package org.slotwise.diffusion;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Ancestral sampling: each step draws from the distribution that is left when the network is right.
 *
 * <p>Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models" (2020), algorithm 2
 * and equation 7; with fewer steps as diffusers has it.
 *
 * <pre>{@code
 * a = alphaBar(t), b = alphaBar(next time), 1 after the last;   r = a / b
 * z' = sqrt(b) (1 - r) / (1 - a) x + sqrt(r) (1 - b) / (1 - a) z + sqrt(variance) g
 * variance = (1 - r) (1 - b) / (1 - a)        FIXED_SMALL, at least 1e-20
 *          = 1 - r                            FIXED_LARGE
 * }</pre>
 *
 * <p>Nothing is drawn in the last step. How this differs from diffusers: the time that a step leads
 * to is the next of {@link #times}, there t - T / n, which is the same with LEADING.
 */
public final class Ddpm implements Sampler {

    private static final double LEAST_VARIANCE = 1e-20;

    private final NoiseSchedule schedule;
    private final SampledTimes times;
    private final Variance variance;

    private Ddpm(Builder builder, NoiseSchedule schedule) {
        this.schedule = schedule;
        times = new SampledTimes(schedule, builder.times.of(schedule));
        variance = builder.variance;
    }

    /** How large the variance of what is drawn is. */
    public enum Variance {
        /** That of data of which nothing varies: the lower bound. */
        FIXED_SMALL,
        /** That of data which are standard normal: the upper bound. */
        FIXED_LARGE
    }

    /**
     * Creates a builder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    public NoiseSchedule schedule() {
        return schedule;
    }

    /** {@inheritDoc} */
    @Override
    public int[] times() {
        return times.all();
    }

    /** {@inheritDoc} */
    @Override
    public SamplingStep step(int index) {
        double a = times.alphaBar(index);
        double b = times.nextAlphaBar(index);
        double r = a / b;
        double drawn =
                variance == Variance.FIXED_LARGE
                        ? 1 - r
                        : Math.max((1 - r) * (1 - b) / (1 - a), LEAST_VARIANCE);
        return new SamplingStep(
                Math.sqrt(r) * (1 - b) / (1 - a),
                0,
                Math.sqrt(b) * (1 - r) / (1 - a),
                List.of(),
                times.isLast(index) ? 0 : Math.sqrt(drawn));
    }

    /** Configures a {@link Ddpm}. */
    public static final class Builder {

        private @Nullable NoiseSchedule schedule;
        private TimeChoice times = TimeChoice.all();
        private Variance variance = Variance.FIXED_SMALL;

        private Builder() {}

        /**
         * Sets the schedule that the network was trained with.
         *
         * @param schedule how much noise there is at each time
         * @return this builder
         */
        public Builder setSchedule(NoiseSchedule schedule) {
            this.schedule = schedule;
            return this;
        }

        /**
         * Sets which times are visited.
         *
         * @param times all by default
         * @return this builder
         */
        public Builder optTimes(TimeChoice times) {
            this.times = times;
            return this;
        }

        /**
         * Sets the variance of what is drawn.
         *
         * @param variance FIXED_SMALL by default
         * @return this builder
         */
        public Builder optVariance(Variance variance) {
            this.variance = variance;
            return this;
        }

        /**
         * Builds the sampler.
         *
         * @return a sampler
         * @throws IllegalArgumentException if there is no schedule, or it has not so many times
         */
        public Ddpm build() {
            Check.given(schedule, "Ddpm: schedule");
            return new Ddpm(this, Objects.requireNonNull(schedule));
        }
    }
}
