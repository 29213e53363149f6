package org.slotwise.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.DiffusersFolder;

/**
 * What diffusers' {@code scheduler_config.json} tells: how noise grows, what a network predicts,
 * and how samples are drawn.
 *
 * <pre>{@code
 * DiffusersScheduler scheduler = DiffusersScheduler.read(Path.of("movi-e/scheduler"));
 * NoiseSchedule schedule = scheduler.betas().schedule();
 * Sampling sampling = scheduler.as(DiffusersScheduler.Kind.DPM_SOLVER).sampling(25).build();
 * }</pre>
 *
 * <p>How this differs from diffusers: with another spacing than LEADING a step of DDIM leads to the
 * next time that is visited, there to t - T / n ({@link Ddim}).
 *
 * @param kind the sampler
 * @param betas how noise grows
 * @param prediction what the network predicts
 * @param spacing which times are visited
 * @param offset what is added to times of LEADING; of no meaning for the others
 * @param clip the bound within which estimates are kept; null for none, as for latents. Never with
 *     DPM_SOLVER
 * @param variance of what DDPM draws; of no meaning for the others
 * @param alphaToOne whether the last step of DDIM leads to data without noise; of no meaning for
 *     the others
 * @param order of DPM_SOLVER; of no meaning for the others
 */
public record DiffusersScheduler(
        Kind kind,
        BetaSchedule betas,
        Prediction prediction,
        TimestepSpacing spacing,
        int offset,
        @Nullable Double clip,
        Ddpm.Variance variance,
        boolean alphaToOne,
        int order) {

    private static final String WHO = "DiffusersScheduler";

    /** What diffusers' DPM-Solver has for 0 at the last time, whose logarithm it takes. */
    private static final double NEARLY_NOTHING = 1.0 / (1 << 24);

    /** A sampler that diffusers has, too. */
    public enum Kind {
        /** {@link Ddpm}: {@code DDPMScheduler}. */
        DDPM("DDPMScheduler"),
        /** {@link Ddim}: {@code DDIMScheduler}. */
        DDIM("DDIMScheduler"),
        /** {@link DpmSolver}: {@code DPMSolverMultistepScheduler}. */
        DPM_SOLVER("DPMSolverMultistepScheduler");

        /** What diffusers calls it. */
        final String theirs;

        Kind(String theirs) {
            this.theirs = theirs;
        }
    }

    /**
     * Creates the description.
     *
     * @param kind the sampler
     * @param betas how noise grows
     * @param prediction what the network predicts
     * @param spacing which times are visited
     * @param offset at least 0
     * @param clip above 0, or null
     * @param variance of what DDPM draws
     * @param alphaToOne of DDIM
     * @param order from 1 to 3
     * @throws IllegalArgumentException if a number is out of its range, or DPM_SOLVER is to clip
     */
    public DiffusersScheduler {
        Check.atLeast(WHO, "offset", offset, 0);
        if (clip != null) {
            Check.positive(WHO, "clip", clip);
        }
        Check.option(
                clip == null || kind != Kind.DPM_SOLVER,
                WHO + ": clip must be null for DPM_SOLVER, got " + clip);
        Check.option(order >= 1 && order <= 3, WHO + ": order must be from 1 to 3, got " + order);
    }

    /**
     * A scheduler of latents, which are not clipped, with the defaults of diffusers.
     *
     * @param kind the sampler
     * @param betas how noise grows
     * @param prediction what the network predicts
     * @return DDPM and DDIM with LEADING, DPM_SOLVER of order 2 with LINSPACE
     */
    public static DiffusersScheduler of(Kind kind, BetaSchedule betas, Prediction prediction) {
        return new DiffusersScheduler(
                kind,
                betas,
                prediction,
                kind == Kind.DPM_SOLVER ? TimestepSpacing.LINSPACE : TimestepSpacing.LEADING,
                0,
                null,
                Ddpm.Variance.FIXED_SMALL,
                true,
                2);
    }

    /**
     * Reads a file that diffusers wrote: of a {@code DDPMScheduler}, {@code DDIMScheduler} or
     * {@code DPMSolverMultistepScheduler}. What is left out is as in diffusers.
     *
     * @param folder its folder, with {@code scheduler_config.json}
     * @return the scheduler
     * @throws IOException if the file is missing or damaged, or has options that are not supported
     *     and would change what is drawn; it names them
     */
    public static DiffusersScheduler read(Path folder) throws IOException {
        DiffusersFolder options = DiffusersFolder.openScheduler(folder);
        try {
            return SchedulerFolder.read(options);
        } catch (IllegalArgumentException e) {
            throw new IOException(options.path() + ": " + e.getMessage(), e);
        }
    }

    /**
     * Writes a file that {@link #read} reads, and diffusers' {@code from_pretrained} of this kind.
     * What is there is replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    public void write(Path folder) throws IOException {
        DiffusersExport.writeScheduler(folder, SchedulerFolder.options(this));
    }

    /**
     * The same noise for another sampler, as diffusers' {@code from_config} makes it: Latent Slot
     * Diffusion learns with DDPM, and draws with DPM-Solver. Everything else stays as it is, where
     * diffusers gives what a file left out the other's default: DPM-Solver's is LINSPACE, and DDPM
     * and DDIM clip.
     *
     * @param other the sampler
     * @return a scheduler; DPM_SOLVER does not clip
     */
    public DiffusersScheduler as(Kind other) {
        return new DiffusersScheduler(
                other,
                betas,
                prediction,
                spacing,
                offset,
                other == Kind.DPM_SOLVER ? null : clip,
                variance,
                alphaToOne,
                order);
    }

    /**
     * The sampler.
     *
     * @param count how many steps; 0 for as many as there are
     * @return a sampler
     * @throws IllegalArgumentException if there are not so many times, or the offset leads beyond
     *     the last
     */
    public Sampler sampler(int count) {
        boolean leading = spacing == TimestepSpacing.LEADING;
        TimeChoice times = new TimeChoice(count, spacing, leading ? offset : 0);
        NoiseSchedule schedule = betas.schedule();
        return switch (kind) {
            case DDPM ->
                    Ddpm.builder()
                            .setSchedule(schedule)
                            .optTimes(times)
                            .optVariance(variance)
                            .build();
            case DDIM ->
                    Ddim.builder()
                            .setSchedule(schedule)
                            .optTimes(times)
                            .optAlphaToOne(alphaToOne)
                            .build();
            case DPM_SOLVER ->
                    DpmSolver.builder()
                            .setSchedule(withoutZero(schedule))
                            .optTimes(times)
                            .optOrder(order)
                            .build();
        };
    }

    private static NoiseSchedule withoutZero(NoiseSchedule schedule) {
        int steps = schedule.steps();
        if (schedule.alphaBar(steps - 1) > 0) {
            return schedule;
        }
        double[] alphaBars = new double[steps];
        for (int t = 0; t < steps; t++) {
            alphaBars[t] = t == steps - 1 ? NEARLY_NOTHING : schedule.alphaBar(t);
        }
        return NoiseSchedule.ofAlphaBars(alphaBars);
    }

    /**
     * Starts a sampling: the sampler, what is predicted, and whether estimates are clipped.
     *
     * @param count how many steps; 0 for as many as there are
     * @return a builder
     * @throws IllegalArgumentException as {@link #sampler}
     */
    public Sampling.Builder sampling(int count) {
        return Sampling.builder()
                .setSampler(sampler(count))
                .setPrediction(prediction)
                .optChange(clip == null ? EstimateChange.NONE : EstimateChange.clipped(clip));
    }
}
