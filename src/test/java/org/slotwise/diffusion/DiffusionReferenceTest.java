package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Against what diffusers and SlotDiffusion compute: {@code resources/diffusion/README.md}. */
@ExtendWith(OnDevice.class)
class DiffusionReferenceTest {

    /** How far diffusers' float32 is off. */
    private static final double FLOAT32 = 2e-6;

    private static void close(String what, NDArray expected, IntToDoubleFunction actual) {
        double[] e = doubles(expected);
        for (int t = 0; t < e.length; t++) {
            double a = actual.applyAsDouble(t);
            assertEquals(e[t], a, FLOAT32 * Math.abs(e[t]) + 1e-9, what + " " + t);
        }
    }

    static Stream<ReferenceCase> schedules() {
        return DiffusionCases.of("DDPMScheduler");
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void schedule(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        NoiseSchedule schedule = DiffusionCases.schedule(reference);
        assertEquals(1000, schedule.steps());
        assertEquals(1, schedule.alphaBar(-1));
        double[] betas = doubles(arrays.get("out/betas"));
        for (int t = 0; t < betas.length; t++) {
            // 1 - ratio of float32 numbers near 1
            assertEquals(betas[t], schedule.beta(t), 1e-6 + 2e-5 * betas[t], "beta " + t);
        }
        close("alphaBar", arrays.get("out/alphas_cumprod"), schedule::alphaBar);
        if (reference.flag("rescale_betas_zero_snr")) {
            assertEquals(0, schedule.alphaBar(999));
            assertEquals(1, schedule.beta(999));
            assertEquals(0, schedule.signalToNoise(999));
        }
    }

    @Test
    void scheduleOfTheSeed(NDManager manager) {
        Map<String, NDArray> arrays = DiffusionCases.only("seed var_schedule").arrays(manager);
        NoiseSchedule schedule = NoiseSchedule.linear(1000, 0.0015, 0.0195);
        close("beta", arrays.get("out/betas"), schedule::beta);
        close("alphaBar", arrays.get("out/alphas_cumprod"), schedule::alphaBar);
    }

    /** It calls "linear" what others call scaled. */
    @Test
    void scheduleOfSlotDiffusion(NDManager manager) {
        Map<String, NDArray> arrays =
                DiffusionCases.only("SlotDiffusion register_schedule").arrays(manager);
        NoiseSchedule schedule = NoiseSchedule.scaledLinear(1000, 0.0015, 0.0195);
        close("beta", arrays.get("out/betas"), schedule::beta);
        close("alphaBar", arrays.get("out/alphas_bar"), schedule::alphaBar);
        close("before", arrays.get("out/alphas_bar_prev"), t -> schedule.alphaBar(t - 1));
        // The posterior's mean and variance are the numbers of a step.
        Ddpm ddpm = Ddpm.builder().setSchedule(schedule).build();
        close(
                "variance",
                arrays.get("out/posterior_variance"),
                t -> Math.pow(ddpm.step(999 - t).fresh(), 2));
        close("of z_0", arrays.get("out/posterior_mean_coef1"), t -> ddpm.step(999 - t).estimate());
        close("of z_t", arrays.get("out/posterior_mean_coef2"), t -> ddpm.step(999 - t).latent());
    }

    @Test
    void timesteps(NDManager manager) {
        Map<String, NDArray> arrays = DiffusionCases.only("timesteps").arrays(manager);
        assertEquals(10, arrays.size());
        arrays.forEach(
                (key, times) -> {
                    String[] name =
                            key.substring("out/".length()).replace("dpm_", "").split("_", -1);
                    TimestepSpacing spacing =
                            TimestepSpacing.valueOf(name[0].toUpperCase(Locale.ROOT));
                    int count = Integer.parseInt(name[1]);
                    int offset = Integer.parseInt(name[2]);
                    int[] own =
                            key.contains("dpm_")
                                    ? spacing.solverTimes(1000, count, offset)
                                    : spacing.times(1000, count, offset);
                    assertArrayEquals(
                            times.toLongArray(), Arrays.stream(own).asLongStream().toArray(), key);
                });
    }

    static Stream<ReferenceCase> noisings() {
        return DiffusionCases.of("add_noise");
    }

    @ParameterizedTest
    @MethodSource("noisings")
    void noising(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        Noising noising = new Noising(DiffusionCases.rounded(reference));
        int[] t = times(arrays.get("in/t"));
        NDArray x0 = arrays.get("in/x0");
        NDArray noise = arrays.get("in/noise");
        x0.setRequiresGradient(true);
        noise.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray noisy = noising.noised(x0, noise, t);
            NDArray velocity = noising.target(Prediction.VELOCITY, x0, noise, t);
            assertClose("noisy", arrays.get("out/noisy"), noisy, FLOAT32);
            assertClose("velocity", arrays.get("out/velocity"), velocity, FLOAT32);
            collector.backward(
                    noisy.mul(arrays.get("cot/noisy"))
                            .sum()
                            .add(velocity.mul(arrays.get("cot/velocity")).sum()));
        }
        assertClose("gradient", arrays.get("grad/in/x0"), x0.getGradient(), FLOAT32);
        assertClose("gradient", arrays.get("grad/in/noise"), noise.getGradient(), FLOAT32);
        assertEquals(x0, noising.target(Prediction.DATA, x0, noise, t));
        assertEquals(noise, noising.target(Prediction.NOISE, x0, noise, t));

        DenoisingLoss ofNoise = new DenoisingLoss(noising, Prediction.NOISE, 5);
        DenoisingLoss ofVelocity = new DenoisingLoss(noising, Prediction.VELOCITY, 5);
        double[] snr = doubles(arrays.get("out/snr"));
        for (int i = 0; i < t.length; i++) {
            double own = noising.schedule().signalToNoise(t[i]);
            assertEquals(snr[i], own, 1e-5 * snr[i] + 1e-9);
        }
        double[] e = doubles(arrays.get("out/min_snr_5_epsilon"));
        double[] v = doubles(arrays.get("out/min_snr_5_v"));
        for (int i = 0; i < t.length; i++) {
            assertEquals(e[i], ofNoise.weight(t[i]), 1e-5 * e[i], "noise " + t[i]);
            assertEquals(v[i], ofVelocity.weight(t[i]), 1e-5 * v[i], "velocity " + t[i]);
        }
    }

    private static int[] times(NDArray t) {
        return Arrays.stream(t.toLongArray()).mapToInt(Math::toIntExact).toArray();
    }

    static Stream<ReferenceCase> steps() {
        return Stream.concat(
                DiffusionCases.of("DDPMScheduler.step"), DiffusionCases.of("DDIMScheduler.step"));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void step(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        NoiseSchedule schedule = DiffusionCases.rounded(reference);
        TimeChoice times =
                new TimeChoice(
                        reference.integer("num_inference_steps"),
                        TimestepSpacing.LEADING,
                        (int) reference.number("steps_offset", 0));
        Sampler sampler;
        if (reference.option("eta") == null) {
            sampler =
                    Ddpm.builder()
                            .setSchedule(schedule)
                            .optTimes(times)
                            .optVariance(
                                    reference.option("variance_type") == null
                                            ? Ddpm.Variance.FIXED_SMALL
                                            : Ddpm.Variance.FIXED_LARGE)
                            .build();
        } else {
            sampler =
                    Ddim.builder()
                            .setSchedule(schedule)
                            .optTimes(times)
                            .optEta(reference.number("eta", 0))
                            .optAlphaToOne(reference.option("set_alpha_to_one") == null)
                            .optNoiseOfEstimate(reference.flag("use_clipped_model_output"))
                            .build();
        }
        Sampling sampling =
                Sampling.builder()
                        .setSampler(sampler)
                        .setPrediction(DiffusionCases.prediction(reference))
                        .optChange(DiffusionCases.change(reference))
                        .build();
        int[] t = times(arrays.get("in/t"));
        for (int i = 0; i < t.length; i++) {
            int index = index(sampler, t[i]);
            NDArray noise = sampler.step(index).fresh() == 0 ? null : arrays.get("in/noise").get(i);
            NDList made =
                    sampling.stepped(
                            index,
                            arrays.get("in/sample").get(i),
                            arrays.get("in/model_output").get(i),
                            noise,
                            List.of());
            // diffusers' 1 - alphaBar(t) / alphaBar(t - 1) is of float32 numbers near 1: at the
            // lowest times, where it is about 1e-4, it has three digits.
            double tolerance = reference.option("eta") == null && t[i] < 10 ? 1e-4 : 1e-5;
            NDArray expected = arrays.get("out/prev_sample").get(i);
            assertClose("t " + t[i], expected, made.get(0), tolerance);
            if (made.size() > 1) {
                assertClose("x0 " + t[i], arrays.get("out/pred_x0").get(i), made.get(1), 1e-5);
            }
        }
    }

    private static int index(Sampler sampler, int time) {
        int[] all = sampler.times();
        return IntStream.range(0, all.length).filter(i -> all[i] == time).findFirst().orElseThrow();
    }

    static Stream<ReferenceCase> solvers() {
        return DiffusionCases.of("DPMSolverMultistepScheduler");
    }

    /** Each step's latents, from the outputs of a network that are given. */
    @ParameterizedTest
    @MethodSource("solvers")
    void solver(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        boolean leading = reference.option("timestep_spacing") != null;
        int count = reference.integer("num_inference_steps");
        DpmSolver solver =
                DpmSolver.builder()
                        .setSchedule(DiffusionCases.rounded(reference))
                        .optOrder((int) reference.number("solver_order", 2))
                        .optTimes(
                                new TimeChoice(
                                        count,
                                        leading
                                                ? TimestepSpacing.LEADING
                                                : TimestepSpacing.LINSPACE,
                                        (int) reference.number("steps_offset", 0)))
                        .build();
        assertArrayEquals(
                arrays.get("out/timesteps").toLongArray(),
                Arrays.stream(solver.times()).asLongStream().toArray());
        double[] sigmas = doubles(arrays.get("out/sigmas"));
        for (int i = 0; i < count; i++) {
            double a = solver.schedule().alphaBar(solver.times()[i]);
            assertEquals(sigmas[i], Math.sqrt((1 - a) / a), 1e-5 * sigmas[i]);
        }
        NDArray outputs = arrays.get("in/model_outputs");
        int[] at = {0};
        NDArray[] seen = new NDArray[count];
        NDArray end =
                Sampling.builder()
                        .setSampler(solver)
                        .setPrediction(DiffusionCases.prediction(reference))
                        .build()
                        .sample(
                                (latents, times) -> {
                                    assertEquals(solver.times()[at[0]], times.toLongArray()[0]);
                                    if (at[0] > 0) {
                                        seen[at[0] - 1] = manager.zeros(latents.getShape());
                                        seen[at[0] - 1].addi(latents);
                                    }
                                    return outputs.get(at[0]++);
                                },
                                arrays.get("in/sample"),
                                StepNoise.given(List.of()));
        seen[count - 1] = end;
        NDArray expected = arrays.get("out/samples");
        for (int i = 0; i < count; i++) {
            assertClose("step " + i, expected.get(i), seen[i], 1e-5);
        }
    }

    static Stream<ReferenceCase> slotDiffusion() {
        return DiffusionCases.of("SlotDiffusion _p_sample");
    }

    @ParameterizedTest
    @MethodSource("slotDiffusion")
    void stepOfSlotDiffusion(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        Ddpm ddpm =
                Ddpm.builder()
                        .setSchedule(NoiseSchedule.scaledLinear(1000, 0.0015, 0.0195))
                        .build();
        NDArray codebook = arrays.get("in/codebook");
        boolean quantised = reference.flag("vq_denoised");
        Sampling sampling =
                Sampling.builder()
                        .setSampler(ddpm)
                        .setPrediction(Prediction.NOISE)
                        .optChange(quantised ? x -> nearest(x, codebook) : EstimateChange.NONE)
                        .build();
        int[] t = times(arrays.get("in/t"));
        double[] logVariance = doubles(arrays.get("out/log_variance"));
        for (int i = 0; i < t.length; i++) {
            NDArray x = arrays.get("in/x").get(i).expandDims(0);
            NDArray o = arrays.get("in/eps").get(i).expandDims(0);
            NDArray noise = t[i] == 0 ? null : arrays.get("in/noise").get(i).expandDims(0);
            NDArray mean = arrays.get("out/mean").get(i).expandDims(0);
            NDArray next = arrays.get("out/prev_sample").get(i).expandDims(0);
            int index = 999 - t[i];
            List<NDArray> none = List.of();
            assertClose("mean", mean, sampling.stepped(index, x, o, null, none).get(0), 1e-5);
            assertClose("next", next, sampling.stepped(index, x, o, noise, none).get(0), 1e-5);
            if (t[i] > 0) {
                double fresh = ddpm.step(index).fresh();
                assertEquals(logVariance[i], 2 * Math.log(fresh), 1e-5);
            }
        }
    }

    /** The nearest codes (N, C) of x (B, C, h, w). */
    private static NDArray nearest(NDArray x, NDArray codes) {
        long channels = codes.getShape().get(1);
        NDArray rows = x.transpose(0, 2, 3, 1).reshape(-1, 1, channels);
        NDArray index = rows.sub(codes.expandDims(0)).square().sum(new int[] {2}).argMin(1);
        return codes.get(index)
                .reshape(x.getShape().get(0), x.getShape().get(2), x.getShape().get(3), channels)
                .transpose(0, 3, 1, 2);
    }

    /** The seed's sampler draws in the last step alone; a sampler of one's own can do so too. */
    @Test
    void samplerOfTheSeed(NDManager manager) {
        ReferenceCase reference = DiffusionCases.only("seed generate");
        Map<String, NDArray> arrays = reference.arrays(manager);
        int steps = reference.integer("timesteps");
        Ddpm ddpm =
                Ddpm.builder()
                        .setSchedule(NoiseSchedule.linear(steps, 0.0015, 0.0195))
                        .optVariance(Ddpm.Variance.FIXED_LARGE)
                        .build();
        Sampler seeds =
                new Sampler() {
                    @Override
                    public NoiseSchedule schedule() {
                        return ddpm.schedule();
                    }

                    @Override
                    public int[] times() {
                        return ddpm.times();
                    }

                    @Override
                    public SamplingStep step(int index) {
                        SamplingStep step = ddpm.step(index);
                        double last = Math.sqrt(schedule().beta(0));
                        return new SamplingStep(
                                step.latent(),
                                step.noise(),
                                step.estimate(),
                                step.former(),
                                index == steps - 1 ? last : 0);
                    }
                };
        NDArray pattern = arrays.get("in/pattern");
        NDArray made =
                Sampling.builder()
                        .setSampler(seeds)
                        .setPrediction(Prediction.NOISE)
                        .build()
                        .sample(
                                (z, t) ->
                                        pattern.mul((float) Math.cos((double) t.toLongArray()[0]))
                                                .add(z.mul(0.1f)),
                                arrays.get("in/start"),
                                (step, m, device, shape, type) -> arrays.get("in/last_noise"));
        assertClose("latent", arrays.get("out/latent"), made, 1e-5);
        assertTrue(NDArrays.sub(made, arrays.get("in/start")).abs().max().getFloat() > 0.1);
    }
}
