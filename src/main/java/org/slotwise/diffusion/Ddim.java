package org.slotwise.diffusion;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Sampling that draws as much as it is told to, or nothing: with eta 0 a latent follows from the
 * noise that it starts from.
 *
 * <p>Source: Song, Meng and Ermon, "Denoising Diffusion Implicit Models" (2021), equations 12 and
 * 16; with its options as diffusers has them.
 *
 * <pre>{@code
 * a = alphaBar(t), b = alphaBar(next time), 1 after the last
 * sigma = eta sqrt((1 - b) / (1 - a) (1 - a / b))
 * z' = sqrt(b) x + sqrt(1 - b - sigma²) n + sigma g
 * }</pre>
 *
 * <p>Over all times eta 1 is {@link Ddpm} with the small variance. How this differs from diffusers:
 * the time that a step leads to is the next of {@link #times}, there t - T / n, which is the same
 * with LEADING.
 */
public final class Ddim implements Sampler {

    private static final String WHO = "Ddim";

    private final NoiseSchedule schedule;
    private final SampledTimes times;
    private final double eta;
    private final boolean alphaToOne;
    private final boolean noiseOfEstimate;

    private Ddim(Builder builder, NoiseSchedule schedule) {
        this.schedule = schedule;
        times = new SampledTimes(schedule, builder.times.of(schedule));
        eta = builder.eta;
        alphaToOne = builder.alphaToOne;
        noiseOfEstimate = builder.noiseOfEstimate;
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
        double b =
                times.isLast(index) && !alphaToOne
                        ? schedule.alphaBar(0)
                        : times.nextAlphaBar(index);
        // Where the last step of Stable Diffusion stays at time 0, a / b is 1.
        double sigma = eta * Math.sqrt((1 - b) / (1 - a) * Math.max(0, 1 - a / b));
        double direction = Math.sqrt(Math.max(0, 1 - b - sigma * sigma));
        if (noiseOfEstimate) {
            // n = (z - sqrt(a) x) / sqrt(1 - a), of the estimate as it was changed
            double each = direction / Math.sqrt(1 - a);
            return new SamplingStep(each, 0, Math.sqrt(b) - each * Math.sqrt(a), List.of(), sigma);
        }
        return new SamplingStep(0, direction, Math.sqrt(b), List.of(), sigma);
    }

    /** Configures a {@link Ddim}. */
    public static final class Builder {

        private @Nullable NoiseSchedule schedule;
        private TimeChoice times = TimeChoice.leading(50);
        private double eta;
        private boolean alphaToOne = true;
        private boolean noiseOfEstimate;

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
         * @param times 50 with LEADING by default
         * @return this builder
         */
        public Builder optTimes(TimeChoice times) {
            this.times = times;
            return this;
        }

        /**
         * Sets how much is drawn.
         *
         * @param eta from 0, nothing, to 1; 0 by default
         * @return this builder
         */
        public Builder optEta(double eta) {
            this.eta = eta;
            return this;
        }

        /**
         * Sets whether the last step leads to a latent without noise, or only to that of time 0:
         * diffusers' {@code set_alpha_to_one}.
         *
         * @param alphaToOne true by default; Stable Diffusion sets false
         * @return this builder
         */
        public Builder optAlphaToOne(boolean alphaToOne) {
            this.alphaToOne = alphaToOne;
            return this;
        }

        /**
         * Sets whether, where an estimate is changed ({@link EstimateChange}), the noise is that of
         * the changed estimate, or stays what the network said: diffusers' {@code
         * use_clipped_model_output}.
         *
         * @param noiseOfEstimate false by default
         * @return this builder
         */
        public Builder optNoiseOfEstimate(boolean noiseOfEstimate) {
            this.noiseOfEstimate = noiseOfEstimate;
            return this;
        }

        /**
         * Builds the sampler.
         *
         * @return a sampler
         * @throws IllegalArgumentException if there is no schedule, it has not so many times, or
         *     eta is out of its range
         */
        public Ddim build() {
            Check.given(schedule, WHO + ": schedule");
            Check.option(eta >= 0 && eta <= 1, WHO + ": eta must be from 0 to 1, got " + eta);
            return new Ddim(this, Objects.requireNonNull(schedule));
        }
    }
}
