package org.slotwise.diffusion;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * DPM-Solver++: solves the equation that a latent follows with the estimates of up to three steps,
 * and needs fewer of them. Nothing is drawn.
 *
 * <p>Source: Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
 * Models" (2022), section 4 and appendix B: data prediction, several steps; as diffusers has it
 * ("midpoint").
 *
 * <pre>{@code
 * al = sqrt(alphaBar), sg = sqrt(1 - alphaBar), lam = log(al / sg);  ' is the next time, at the end al' = 1, sg' = 0
 * h = lam' - lam,  E = exp(-h) - 1,  x_i the estimate of step i
 *
 * order 1   z' = sg' / sg z - al' E x_i
 * order 2   ... - al' E D / 2                                    D = (x_i - x_(i-1)) / r,  r = (lam_i - lam_(i-1)) / h
 * order 3   ... + al' (E / h + 1) (D + r / (r + q) (D - D')) - al' ((E + h) / h² - 1 / 2) (D - D') / (r + q)
 *                                                                D', q: those of the step before, by h too
 * }</pre>
 *
 * <p>Order i + 1 in step i until the order is reached, 1 in the last step, and at most 2 in the
 * last but one if there are fewer than 15. Order 1 is {@link Ddim} with eta 0.
 */
public final class DpmSolver implements Sampler {

    private static final String WHO = "DpmSolver";

    /** So many steps need no lower order near the end. */
    private static final int MANY = 15;

    private final NoiseSchedule schedule;
    private final SampledTimes times;
    private final int order;

    private DpmSolver(Builder builder, NoiseSchedule schedule) {
        this.schedule = schedule;
        times = new SampledTimes(schedule, builder.times.ofSolver(schedule));
        order = builder.order;
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

    /** The order of a step. */
    private int order(int index) {
        int left = times.count() - index;
        if (left == 1) {
            return 1;
        }
        int most = left == 2 && times.count() < MANY ? Math.min(2, order) : order;
        return Math.min(most, index + 1);
    }

    /** {@inheritDoc} */
    @Override
    public SamplingStep step(int index) {
        double a = times.alphaBar(index);
        if (times.isLast(index)) {
            // h is infinite, E is -1
            return new SamplingStep(0, 0, 1, List.of(), 0);
        }
        double b = times.alphaBar(index + 1);
        double al = Math.sqrt(b);
        double h = lambda(b) - lambda(a);
        double e = Math.expm1(-h);
        double latent = Math.sqrt(1 - b) / Math.sqrt(1 - a);
        double x = -al * e;
        int own = order(index);
        if (own == 1) {
            return new SamplingStep(latent, 0, x, List.of(), 0);
        }
        // Where a time has nothing but noise its lambda is infinite, and with it r.
        double r = (lambda(a) - lambda(times.alphaBar(index - 1))) / h;
        if (own == 2) {
            double d = -al * e / 2 / r;
            return new SamplingStep(latent, 0, x + d, List.of(-d), 0);
        }
        double q = (lambda(times.alphaBar(index - 1)) - lambda(times.alphaBar(index - 2))) / h;
        double first = al * (e / h + 1);
        double second = -al * ((e + h) / (h * h) - 0.5);
        double both = Double.isInfinite(q) ? 0 : 1 / (r + q);
        // first (D + r both (D - D')) + second both (D - D')
        double d = first + (first * r + second) * both;
        double former = -(first * r + second) * both;
        double dOfEach = d / r;
        double formerOfEach = former / q;
        return new SamplingStep(
                latent, 0, x + dOfEach, List.of(formerOfEach - dOfEach, -formerOfEach), 0);
    }

    private static double lambda(double alphaBar) {
        return (Math.log(alphaBar) - Math.log1p(-alphaBar)) / 2;
    }

    /** Configures a {@link DpmSolver}. */
    public static final class Builder {

        private @Nullable NoiseSchedule schedule;
        private TimeChoice times = new TimeChoice(25, TimestepSpacing.LINSPACE, 0);
        private int order = 2;

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
         * @param times 25 with LINSPACE by default; Latent Slot Diffusion takes 25 with LEADING and
         *     offset 1
         * @return this builder
         */
        public Builder optTimes(TimeChoice times) {
            this.times = times;
            return this;
        }

        /**
         * Sets how many estimates a step uses.
         *
         * @param order 1 to 3, 2 by default
         * @return this builder
         */
        public Builder optOrder(int order) {
            this.order = order;
            return this;
        }

        /**
         * Builds the sampler.
         *
         * @return a sampler
         * @throws IllegalArgumentException if there is no schedule, it has not so many times, or
         *     the order is out of its range
         */
        public DpmSolver build() {
            Check.given(schedule, WHO + ": schedule");
            Check.option(
                    order >= 1 && order <= 3, WHO + ": order must be from 1 to 3, got " + order);
            return new DpmSolver(this, Objects.requireNonNull(schedule));
        }
    }
}
