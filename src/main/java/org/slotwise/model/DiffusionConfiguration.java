package org.slotwise.model;

import org.jspecify.annotations.Nullable;
import org.slotwise.diffusion.BetaSchedule;
import org.slotwise.diffusion.DenoisingLoss;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Noising;
import org.slotwise.diffusion.Prediction;

/**
 * How latents are noised, and what a network predicts of them.
 *
 * @param schedule how noise grows
 * @param steps T, how many times there are
 * @param first beta(0); of no meaning for the cosine
 * @param last beta(T - 1); of no meaning for the cosine
 * @param zeroTerminalSnr whether the last time has nothing but noise
 * @param prediction what the network predicts
 * @param minSnr the bound of the errors' weights, {@link DenoisingLoss}; null for none
 */
public record DiffusionConfiguration(
        Schedule schedule,
        int steps,
        double first,
        double last,
        boolean zeroTerminalSnr,
        Prediction prediction,
        @Nullable Double minSnr) {

    /** How noise grows: see {@link NoiseSchedule}. */
    public enum Schedule {
        /** {@link NoiseSchedule#linear}. */
        LINEAR,
        /** {@link NoiseSchedule#scaledLinear}. */
        SCALED_LINEAR,
        /** {@link NoiseSchedule#cosine}. */
        COSINE
    }

    /**
     * Creates a configuration.
     *
     * @param schedule how noise grows
     * @param steps at least 1
     * @param first above 0 and below 1
     * @param last above 0 and below 1
     * @param zeroTerminalSnr whether the last time has nothing but noise
     * @param prediction what the network predicts; not NOISE with a zero terminal SNR
     * @param minSnr above 0, or null
     * @throws IllegalArgumentException if a number is out of its range, or noise is to be predicted
     *     where there is nothing else
     */
    public DiffusionConfiguration {
        if (zeroTerminalSnr && prediction == Prediction.NOISE) {
            throw new IllegalArgumentException(
                    "DiffusionConfiguration: prediction must not be NOISE with a zero terminal SNR");
        }
        loss(schedule(schedule, steps, first, last, zeroTerminalSnr), prediction, minSnr);
    }

    /**
     * The cosine schedule over 1,000 steps. It ends with next to nothing but noise: where NOISE is
     * predicted a sampling must not begin there, and the default one does not.
     *
     * @param prediction what the network predicts
     * @return a configuration
     */
    public static DiffusionConfiguration cosine(Prediction prediction) {
        return new DiffusionConfiguration(
                Schedule.COSINE, 1000, 1e-4, 0.02, false, prediction, null);
    }

    /**
     * Latent Slot Diffusion's: linear from 0.00085 to 0.012, noise is predicted.
     *
     * @return a configuration
     */
    public static DiffusionConfiguration latentSlotDiffusion() {
        return new DiffusionConfiguration(
                Schedule.LINEAR, 1000, 0.00085, 0.012, false, Prediction.NOISE, null);
    }

    /**
     * SlotDiffusion's: roots that lie evenly from 0.0015 to 0.0195, noise is predicted.
     *
     * @return a configuration
     */
    public static DiffusionConfiguration slotDiffusion() {
        return new DiffusionConfiguration(
                Schedule.SCALED_LINEAR, 1000, 0.0015, 0.0195, false, Prediction.NOISE, null);
    }

    /** The loss that is described. */
    DenoisingLoss loss() {
        return loss(schedule(schedule, steps, first, last, zeroTerminalSnr), prediction, minSnr);
    }

    private static DenoisingLoss loss(
            NoiseSchedule schedule, Prediction prediction, @Nullable Double minSnr) {
        return new DenoisingLoss(
                new Noising(schedule),
                prediction,
                minSnr == null ? Double.POSITIVE_INFINITY : minSnr);
    }

    private static NoiseSchedule schedule(
            Schedule kind, int steps, double first, double last, boolean zeroTerminalSnr) {
        BetaSchedule.Curve curve = BetaSchedule.Curve.valueOf(kind.name());
        return new BetaSchedule(curve, steps, first, last, zeroTerminalSnr).schedule();
    }
}
