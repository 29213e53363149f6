package org.slotwise.diffusion;

import java.util.Arrays;
import java.util.Locale;
import org.slotwise.internal.Check;

/** What a sampling must have in common with what a network learnt, and what it may ask of it. */
final class SamplingFit {

    /**
     * By how much the estimate may multiply an error of the noise. DDPM's linear schedule has 157
     * at its last time, the cosine over 1,000 steps 20,000.
     */
    private static final double MOST_GAIN = 1000;

    private SamplingFit() {}

    /**
     * Requires a sampling to predict what a network learnt, with the schedule that it learnt with.
     *
     * @throws IllegalArgumentException if it does not
     */
    static void require(String who, DenoisingLoss learnt, Prediction predicted, Sampler sampler) {
        Check.option(
                predicted == learnt.prediction(),
                who
                        + ": the sampling must be for a network that predicts "
                        + learnt.prediction()
                        + ", got "
                        + predicted);
        requireSchedule(who + ": the sampling", learnt.noising().schedule(), sampler.schedule());
    }

    /**
     * Requires two networks to have learnt the same.
     *
     * @throws IllegalArgumentException if they have not
     */
    static void requireAlike(String who, DenoisingLoss one, DenoisingLoss other) {
        Check.option(
                one.prediction() == other.prediction(),
                who
                        + ": both networks must predict "
                        + one.prediction()
                        + ", got "
                        + other.prediction());
        requireSchedule(
                who + ": the other network", one.noising().schedule(), other.noising().schedule());
    }

    private static void requireSchedule(String what, NoiseSchedule learnt, NoiseSchedule got) {
        Check.option(
                got.steps() == learnt.steps(),
                what
                        + " must be for a schedule of "
                        + learnt.steps()
                        + " steps, got "
                        + got.steps());
        int t = learnt.differsAt(got);
        Check.option(
                t < 0,
                what
                        + " must be for the schedule that the network learnt with, whose alphaBar("
                        + t
                        + ") is "
                        + number(learnt.alphaBar(t))
                        + ", got one of "
                        + number(got.alphaBar(t)));
    }

    /**
     * Refuses to compute estimates of noise where there is hardly anything else: an error of the
     * network is multiplied by 1 / sqrt(alphaBar). A change that keeps estimates within bounds
     * makes up for it, as long as there is a number.
     *
     * @throws IllegalArgumentException if noise is predicted at such a time
     */
    static void requireEstimates(Prediction prediction, Sampler sampler, EstimateChange change) {
        if (prediction != Prediction.NOISE) {
            return;
        }
        NoiseSchedule schedule = sampler.schedule();
        int t = Arrays.stream(sampler.times()).max().orElse(0);
        double a = schedule.alphaBar(t);
        Check.option(
                a > 0,
                "Sampling: prediction must not be NOISE where a time has nothing but noise, got"
                        + " time "
                        + t
                        + " of a schedule with zero terminal SNR");
        Check.option(
                change != EstimateChange.NONE || hasEstimates(schedule, t),
                "Sampling: at time "
                        + t
                        + " errors of predicted noise are multiplied by "
                        + Math.round(gain(a))
                        + ", 1 / sqrt(alphaBar), more than "
                        + Math.round(MOST_GAIN)
                        + ": begin at a lower time, as TimeChoice.leading(n) does, keep estimates"
                        + " in their bounds by optChange, or let a network predict VELOCITY");
    }

    /** Whether estimates of noise at this time are numbers that something can be made of. */
    static boolean hasEstimates(NoiseSchedule schedule, int t) {
        double a = schedule.alphaBar(t);
        return a > 0 && gain(a) <= MOST_GAIN;
    }

    private static double gain(double alphaBar) {
        return 1 / Math.sqrt(alphaBar);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.5g", value);
    }
}
