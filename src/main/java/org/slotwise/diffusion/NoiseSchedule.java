package org.slotwise.diffusion;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * How much noise a latent has at each time of a diffusion.
 *
 * <p>Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models" (2020), section 2.
 *
 * <pre>{@code
 * alphaBar(t) = (1 - beta(0)) ... (1 - beta(t)),     alphaBar(-1) = 1
 * z_t = sqrt(alphaBar(t)) z_0 + sqrt(1 - alphaBar(t)) noise
 * }</pre>
 *
 * <p>Times t are 0 to T - 1. All is computed in double precision, and rounded only where it meets
 * arrays: float32 throughout, as in diffusers, is off by up to 1e-6 of a value.
 */
public final class NoiseSchedule {

    private static final String WHO = "NoiseSchedule";

    /** The cosine schedule's offset, and its largest beta. */
    private static final double COSINE_OFFSET = 0.008;

    private static final double COSINE_MOST = 0.999;

    /** Beta and alphaBar in float32 throughout, as diffusers has them, are off by less. */
    private static final double ROUNDING = 2e-6;

    private static final int SHOWN = 4;

    /** The most times: a thousand times what is usual. */
    private static final int MOST = 1 << 20;

    private final double[] betas;
    private final double[] alphaBars;

    private NoiseSchedule(double[] betas, double[] alphaBars) {
        this.betas = betas;
        this.alphaBars = alphaBars;
    }

    /**
     * Any schedule.
     *
     * @param betas beta(0) to beta(T - 1), each above 0 and below 1; the last may be 1
     * @return the schedule
     * @throws IllegalArgumentException if there are none, too many, or one is out of its range
     */
    public static NoiseSchedule of(double... betas) {
        Limits.count(WHO, "the number of betas", betas.length, 1, MOST);
        double[] alphaBars = new double[betas.length];
        double product = 1;
        for (int t = 0; t < betas.length; t++) {
            double beta = betas[t];
            Check.option(
                    beta > 0 && (beta < 1 || (beta == 1 && t == betas.length - 1)),
                    WHO + ": beta must be above 0 and below 1, got " + beta + " at time " + t);
            product *= 1 - beta;
            alphaBars[t] = product;
        }
        Check.option(alphaBars[0] < 1, WHO + ": beta must not vanish beside 1, got " + betas[0]);
        return new NoiseSchedule(betas.clone(), alphaBars);
    }

    private static NoiseSchedule each(int steps, IntToDoubleFunction beta) {
        Limits.count(WHO, "steps", steps, 1, MOST);
        double[] betas = new double[steps];
        Arrays.setAll(betas, beta);
        return of(betas);
    }

    /**
     * Betas that lie evenly: linspace(first, last, T). DDPM's are 1e-4 to 0.02.
     *
     * @param steps T, from 1 to 1,048,576
     * @param first beta(0), above 0 and below 1
     * @param last beta(T - 1), above 0 and below 1
     * @return the schedule
     * @throws IllegalArgumentException if a number is out of its range
     */
    public static NoiseSchedule linear(int steps, double first, double last) {
        requireEnds(first, last);
        return each(steps, t -> between(first, last, t, steps));
    }

    /**
     * Betas whose roots lie evenly: linspace(sqrt(first), sqrt(last), T)². Stable Diffusion's are
     * 0.00085 to 0.012. SlotDiffusion calls this "linear".
     *
     * @param steps T, from 1 to 1,048,576
     * @param first beta(0), above 0 and below 1
     * @param last beta(T - 1), above 0 and below 1
     * @return the schedule
     * @throws IllegalArgumentException if a number is out of its range
     */
    public static NoiseSchedule scaledLinear(int steps, double first, double last) {
        requireEnds(first, last);
        return each(
                steps,
                t -> {
                    double root = between(Math.sqrt(first), Math.sqrt(last), t, steps);
                    return root * root;
                });
    }

    /**
     * The cosine schedule of Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic
     * Models" (2021), equation 17; diffusers' {@code squaredcos_cap_v2}.
     *
     * <pre>{@code
     * f(u) = cos²((u + 0.008) / 1.008 pi / 2)
     * beta(t) = min(1 - f((t + 1) / T) / f(t / T), 0.999)
     * }</pre>
     *
     * @param steps T, from 1 to 1,048,576
     * @return the schedule
     * @throws IllegalArgumentException if the number of steps is out of its range
     */
    public static NoiseSchedule cosine(int steps) {
        return each(
                steps,
                t -> {
                    double ratio = cosine((t + 1.0) / steps) / cosine((double) t / steps);
                    return Math.min(1 - ratio, COSINE_MOST);
                });
    }

    private static double cosine(double u) {
        double root = Math.cos((u + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
        return root * root;
    }

    private static void requireEnds(double first, double last) {
        for (double beta : new double[] {first, last}) {
            Check.option(
                    beta > 0 && beta < 1,
                    WHO + ": first and last beta must be above 0 and below 1, got " + beta);
        }
    }

    /** linspace(first, last, T)[t]. */
    private static double between(double first, double last, int t, int steps) {
        return t == 0 ? first : first + (last - first) * t / (steps - 1);
    }

    /**
     * The same schedule, stretched such that the last time has nothing but noise.
     *
     * <p>Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2024),
     * algorithm 1.
     *
     * <pre>{@code
     * r(t) = sqrt(alphaBar(t))
     * alphaBar'(t) = ((r(t) - r(T - 1)) r(0) / (r(0) - r(T - 1)))²
     * }</pre>
     *
     * <p>From nothing but noise no network can say what the noise is: it has to predict {@link
     * Prediction#VELOCITY} or {@link Prediction#DATA}.
     *
     * @return the schedule
     * @throws IllegalArgumentException if there is one time alone
     */
    public NoiseSchedule withZeroTerminalSnr() {
        int steps = steps();
        Check.option(
                steps > 1,
                WHO + ": steps must be at least 2 for a zero terminal SNR, got " + steps);
        double first = Math.sqrt(alphaBars[0]);
        double last = Math.sqrt(alphaBars[steps - 1]);
        double[] stretched = new double[steps];
        for (int t = 0; t < steps; t++) {
            double root = (Math.sqrt(alphaBars[t]) - last) * first / (first - last);
            stretched[t] = root * root;
        }
        return ofAlphaBars(stretched);
    }

    /** A schedule of which the products are known. */
    static NoiseSchedule ofAlphaBars(double... alphaBars) {
        double[] betas = new double[alphaBars.length];
        Arrays.setAll(betas, t -> 1 - alphaBars[t] / (t == 0 ? 1 : alphaBars[t - 1]));
        return new NoiseSchedule(betas, alphaBars.clone());
    }

    /**
     * How many times there are.
     *
     * @return T
     */
    public int steps() {
        return betas.length;
    }

    /**
     * The variance of the noise that a time adds.
     *
     * @param t from 0 to T - 1
     * @return beta(t)
     * @throws IllegalArgumentException if there is no such time
     */
    public double beta(int t) {
        requireTime(t, 0);
        return betas[t];
    }

    /**
     * How much of the variance of a latent is its own.
     *
     * @param t from -1, where there is no noise yet, to T - 1
     * @return alphaBar(t)
     * @throws IllegalArgumentException if there is no such time
     */
    public double alphaBar(int t) {
        requireTime(t, -1);
        return t < 0 ? 1 : alphaBars[t];
    }

    /**
     * The ratio of signal to noise.
     *
     * @param t from 0 to T - 1
     * @return alphaBar(t) / (1 - alphaBar(t))
     * @throws IllegalArgumentException if there is no such time
     */
    public double signalToNoise(int t) {
        requireTime(t, 0);
        return alphaBars[t] / (1 - alphaBars[t]);
    }

    /**
     * The time at which another schedule of as many steps differs most in alphaBar.
     *
     * @return the time; -1 if it differs nowhere by more than float32 does
     */
    int differsAt(NoiseSchedule other) {
        int at = -1;
        double most = ROUNDING;
        for (int t = 0; t < alphaBars.length; t++) {
            double difference = Math.abs(alphaBars[t] - other.alphaBars[t]);
            if (difference > most) {
                most = difference;
                at = t;
            }
        }
        return at;
    }

    /**
     * The schedule in short: how many times there are, and alphaBar at five of them that lie
     * evenly.
     *
     * @return "1000 steps, alphaBar 0.9999 0.5241 0.07859 0.003351 4.036e-05" for DDPM's
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder().append(steps()).append(" steps, alphaBar");
        for (int i = 0; i <= SHOWN; i++) {
            int t = (int) ((long) i * (steps() - 1) / SHOWN);
            text.append(String.format(Locale.ROOT, " %.4g", alphaBars[t]));
        }
        return text.toString();
    }

    private void requireTime(int t, int least) {
        Check.option(
                t >= least && t < betas.length,
                WHO
                        + ": a time must be from "
                        + least
                        + " to "
                        + (betas.length - 1)
                        + ", got "
                        + t);
    }
}
