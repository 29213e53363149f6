package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.diffusion.DiffusersScheduler.Kind;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** {@code scheduler_config.json} in and out, and what it draws against diffusers. */
@ExtendWith(OnDevice.class)
class DiffusersSchedulerTest {

    /** The authors' of Latent Slot Diffusion. */
    private static final String LSD =
            """
            {"_class_name": "DDPMScheduler", "_diffusers_version": "0.21.4", "beta_end": 0.012,
             "beta_schedule": "linear", "beta_start": 0.00085, "clip_sample": false,
             "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995,
             "num_train_timesteps": 1000, "prediction_type": "epsilon", "sample_max_value": 1.0,
             "steps_offset": 1, "thresholding": false, "timestep_spacing": "leading",
             "trained_betas": null, "variance_type": "fixed_small"}
            """;

    private static final List<String> OPTIONS =
            List.of(
                    "beta_start",
                    "beta_end",
                    "beta_schedule",
                    "clip_sample",
                    "prediction_type",
                    "rescale_betas_zero_snr",
                    "set_alpha_to_one",
                    "solver_order",
                    "steps_offset",
                    "timestep_spacing",
                    "variance_type");

    @TempDir Path folder;

    private DiffusersScheduler read(String config) throws IOException {
        Files.writeString(folder.resolve("scheduler_config.json"), config);
        return DiffusersScheduler.read(folder);
    }

    private DiffusersScheduler read(Kind kind, ReferenceCase reference) throws IOException {
        JsonObject config = new JsonObject();
        config.addProperty("_class_name", kind.theirs);
        for (String option : OPTIONS) {
            JsonElement value = reference.option(option);
            if (value != null) {
                config.add(option, value);
            }
        }
        return read(config.toString());
    }

    private static int[] times(NDArray t) {
        return Arrays.stream(t.toLongArray()).mapToInt(Math::toIntExact).toArray();
    }

    static Stream<ReferenceCase> steps() {
        return Stream.concat(
                DiffusionCases.of("DDPMScheduler.step"),
                DiffusionCases.of("DDIMScheduler.step")
                        .filter(
                                c ->
                                        c.number("eta", 0) == 0
                                                && !c.flag("use_clipped_model_output")));
    }

    /** What is left out is as in diffusers: all these cases leave most options out. */
    @ParameterizedTest
    @MethodSource("steps")
    void stepsOfDiffusers(ReferenceCase reference, NDManager manager) throws IOException {
        Kind kind = reference.option("eta") == null ? Kind.DDPM : Kind.DDIM;
        Sampling sampling =
                read(kind, reference).sampling(reference.integer("num_inference_steps")).build();
        Sampler sampler = sampling.sampler();
        Map<String, NDArray> arrays = reference.arrays(manager);
        int[] t = times(arrays.get("in/t"));
        for (int i = 0; i < t.length; i++) {
            int index = Arrays.stream(sampler.times()).boxed().toList().indexOf(t[i]);
            NDArray noise = sampler.step(index).fresh() == 0 ? null : arrays.get("in/noise").get(i);
            NDArray made =
                    sampling.stepped(
                                    index,
                                    arrays.get("in/sample").get(i),
                                    arrays.get("in/model_output").get(i),
                                    noise,
                                    List.of())
                            .get(0);
            // Its alphaBars are of float32: at the lowest times a step has four digits.
            assertClose("t " + t[i], arrays.get("out/prev_sample").get(i), made, 2e-4);
        }
    }

    static Stream<ReferenceCase> solvers() {
        return DiffusionCases.of("DPMSolverMultistepScheduler");
    }

    @ParameterizedTest
    @MethodSource("solvers")
    void samplingsOfDiffusers(ReferenceCase reference, NDManager manager) throws IOException {
        int count = reference.integer("num_inference_steps");
        Sampling sampling = read(Kind.DPM_SOLVER, reference).sampling(count).build();
        Map<String, NDArray> arrays = reference.arrays(manager);
        assertArrayEquals(times(arrays.get("out/timesteps")), sampling.sampler().times());
        NDArray outputs = arrays.get("in/model_outputs");
        int[] at = {0};
        NDArray end =
                sampling.sample(
                        (latents, times) -> outputs.get(at[0]++),
                        arrays.get("in/sample"),
                        StepNoise.given(List.of()));
        assertClose("samples", arrays.get("out/samples").get(count - 1), end, 2e-4);
    }

    @Test
    void latentSlotDiffusion() throws IOException {
        DiffusersScheduler scheduler = read(LSD);
        assertEquals(
                new DiffusersScheduler(
                        Kind.DDPM,
                        new BetaSchedule(BetaSchedule.Curve.LINEAR, 1000, 0.00085, 0.012, false),
                        Prediction.NOISE,
                        TimestepSpacing.LEADING,
                        1,
                        null,
                        Ddpm.Variance.FIXED_SMALL,
                        true,
                        2),
                scheduler);
        // It draws with another sampler at the same times.
        Sampling drawn = scheduler.as(Kind.DPM_SOLVER).sampling(25).build();
        assertInstanceOf(DpmSolver.class, drawn.sampler());
        assertArrayEquals(
                TimestepSpacing.LEADING.solverTimes(1000, 25, 1), drawn.sampler().times());
    }

    static Stream<DiffusersScheduler> all() {
        BetaSchedule cosine = new BetaSchedule(BetaSchedule.Curve.COSINE, 100, 0.1, 0.2, true);
        BetaSchedule scaled =
                new BetaSchedule(BetaSchedule.Curve.SCALED_LINEAR, 50, 0.00085, 0.012, false);
        return Stream.of(
                DiffusersScheduler.of(Kind.DDPM, scaled, Prediction.NOISE),
                DiffusersScheduler.of(Kind.DPM_SOLVER, cosine, Prediction.VELOCITY),
                new DiffusersScheduler(
                        Kind.DDPM,
                        scaled,
                        Prediction.DATA,
                        TimestepSpacing.TRAILING,
                        1,
                        1.5,
                        Ddpm.Variance.FIXED_LARGE,
                        true,
                        2),
                new DiffusersScheduler(
                        Kind.DDIM,
                        cosine,
                        Prediction.VELOCITY,
                        TimestepSpacing.LINSPACE,
                        0,
                        1.0,
                        Ddpm.Variance.FIXED_SMALL,
                        false,
                        2),
                new DiffusersScheduler(
                        Kind.DPM_SOLVER,
                        scaled,
                        Prediction.NOISE,
                        TimestepSpacing.LEADING,
                        1,
                        null,
                        Ddpm.Variance.FIXED_SMALL,
                        true,
                        3));
    }

    @ParameterizedTest
    @MethodSource("all")
    void whatIsWrittenComesBack(DiffusersScheduler scheduler) throws IOException {
        Path path = folder.resolve("scheduler");
        scheduler.write(path);
        scheduler.write(path); // in place of itself
        assertEquals(scheduler, DiffusersScheduler.read(path));
        try (Stream<Path> files = Files.list(path)) {
            assertEquals(
                    List.of("scheduler_config.json"),
                    files.map(f -> f.getFileName().toString()).toList());
        }
        // A step of each draws something that is a number.
        Sampler sampler = scheduler.sampler(10);
        for (int i = 0; i < sampler.times().length; i++) {
            assertTrue(Double.isFinite(sampler.step(i).latent()));
        }
    }

    /** Options of other classes stay when diffusers makes one scheduler of another. */
    @Test
    void optionsOfOtherSchedulersCountForNothing() throws IOException {
        String config =
                """
                {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver++",
                 "clip_sample": true, "set_alpha_to_one": false, "skip_prk_steps": true,
                 "lambda_min_clipped": -Infinity, "euler_at_final": false, "variance_type": null,
                 "use_karras_sigmas": false, "flow_shift": 1.0, "time_shift_type": "exponential",
                 "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
                 "steps_offset": 1, "timestep_spacing": "trailing"}
                """;
        DiffusersScheduler scheduler = read(config);
        assertEquals(null, scheduler.clip());
        assertEquals(TimestepSpacing.TRAILING, scheduler.spacing());
        // They count where the scheduler becomes the other.
        assertFalse(scheduler.as(Kind.DDIM).alphaToOne());
        assertEquals(Ddpm.Variance.FIXED_SMALL, scheduler.as(Kind.DDPM).variance());
        DiffusersScheduler other = read(config.replace("null", "\"fixed_large\""));
        assertEquals(Ddpm.Variance.FIXED_LARGE, other.as(Kind.DDPM).variance());
        DiffusersScheduler plain =
                read(LSD.replace("\"fixed_small\"", "\"fixed_small_log\", \"solver_order\": 3"));
        assertEquals(3, plain.as(Kind.DPM_SOLVER).order());
        assertEquals(Ddpm.Variance.FIXED_SMALL, plain.variance());
        // With this spacing an offset counts for nothing either.
        assertEquals(999, scheduler.sampler(20).times()[0]);
    }

    /** Python's null is false where a switch is true when it is left out. */
    @Test
    void nullIsNotLeftOut() throws IOException {
        assertEquals(1, read(LSD.replace("\"clip_sample\": false,", "")).clip());
        assertEquals(null, read(LSD.replace("sample\": false", "sample\": null")).clip());
    }

    /** What diffusers does for its logarithms: ours has none at the end, so both draw. */
    @Test
    void aZeroTerminalSnr() {
        BetaSchedule zero = new BetaSchedule(BetaSchedule.Curve.LINEAR, 1000, 1e-4, 0.02, true);
        DiffusersScheduler solver =
                DiffusersScheduler.of(Kind.DPM_SOLVER, zero, Prediction.VELOCITY);
        assertEquals(0, zero.schedule().alphaBar(999));
        assertEquals(Math.pow(2, -24), solver.sampler(10).schedule().alphaBar(999));
        assertEquals(0, solver.as(Kind.DDIM).sampler(10).schedule().alphaBar(999));
        assertEquals(zero.schedule().alphaBar(998), solver.sampler(10).schedule().alphaBar(998));
        // A network that learnt with the schedule itself can be drawn from.
        Noising noising = new Noising(zero.schedule());
        SamplingFit.require(
                "solver",
                DenoisingLoss.of(noising, Prediction.VELOCITY),
                Prediction.VELOCITY,
                solver.sampler(10));
    }

    private String refusal(String config) {
        String message = assertThrows(IOException.class, () -> read(config)).getMessage();
        String begin = folder + "/scheduler_config.json: ";
        assertTrue(message.startsWith(begin), message);
        return message.substring(begin.length());
    }

    @Test
    void optionsThatAreNotSupported() {
        Map<String, String> changes = new LinkedHashMap<>();
        changes.put(
                "\"DDPMScheduler\" -> \"PNDMScheduler\"",
                "_class_name must be DDPMScheduler or DDIMScheduler or"
                        + " DPMSolverMultistepScheduler, got PNDMScheduler");
        changes.put(
                "\"trained_betas\": null -> \"trained_betas\": [0.1]",
                "options that are not supported: [trained_betas]");
        changes.put(
                "\"thresholding\": false -> \"thresholding\": true",
                "thresholding must be false, got true: other values are not supported");
        changes.put(
                "\"fixed_small\" -> \"learned\"",
                "variance_type must be fixed_small or fixed_large, got learned: other values are"
                        + " not supported");
        changes.put(
                "\"linear\" -> \"sigmoid\"",
                "beta_schedule must be linear or scaled_linear or squaredcos_cap_v2, got sigmoid:"
                        + " other values are not supported");
        changes.put(
                "\"epsilon\" -> \"flow_prediction\"",
                "prediction_type must be epsilon or v_prediction or sample, got flow_prediction:"
                        + " other values are not supported");
        changes.put(
                "\"leading\" -> \"log\"",
                "timestep_spacing must be leading or linspace or trailing, got log: other values"
                        + " are not supported");
        changes.put(
                "0.012 -> 1.5",
                "NoiseSchedule: first and last beta must be above 0 and below 1, got 1.5");
        changes.put("1000 -> 1.5", "num_train_timesteps must be a whole number, got 1.5");
        // Null is what was said, not what was left out.
        changes.put("1000 -> null", "num_train_timesteps must be a whole number, got null");
        changes.put("\"linear\" -> null", "beta_schedule must be a text, got null");
        for (Map.Entry<String, String> change : changes.entrySet()) {
            String[] fromTo = change.getKey().split(" -> ", -1);
            assertTrue(LSD.contains(fromTo[0]), fromTo[0]);
            assertEquals(change.getValue(), refusal(LSD.replace(fromTo[0], fromTo[1])));
        }
        Map<String, String> solver =
                Map.of(
                        "\"algorithm_type\": \"sde-dpmsolver++\"", "algorithm_type must be",
                        "\"solver_type\": \"heun\"", "solver_type must be",
                        "\"lower_order_final\": null", "lower_order_final must be",
                        "\"final_sigmas_type\": \"sigma_min\"", "final_sigmas_type must be",
                        "\"lambda_min_clipped\": -5.1", "lambda_min_clipped must be",
                        "\"variance_type\": \"learned_range\"", "variance_type must be",
                        "\"solver_order\": 4", "DiffusersScheduler: order must be from 1 to 3",
                        "\"use_karras_sigmas\": true", "options that are not supported");
        solver.forEach(
                (option, begin) -> {
                    String message =
                            refusal(
                                    "{\"_class_name\": \"DPMSolverMultistepScheduler\", "
                                            + option
                                            + "}");
                    assertTrue(message.startsWith(begin), message);
                });
    }

    @Test
    void otherFolders() throws IOException {
        Path path = Files.createDirectory(folder.resolve("unet"));
        assertEquals(
                path
                        + " has no scheduler_config.json: expected a folder of diffusers'"
                        + " save_pretrained",
                assertThrows(IOException.class, () -> DiffusersScheduler.read(path)).getMessage());
        Files.writeString(path.resolve("config.json"), "{}");
        DiffusersScheduler one = all().findFirst().orElseThrow();
        assertThrows(IOException.class, () -> one.write(path)); // there is a network
        assertEquals("{}", Files.readString(path.resolve("config.json")));
        assertRefused(
                "DiffusersScheduler: clip must be null for DPM_SOLVER, got 1.0",
                () ->
                        new DiffusersScheduler(
                                Kind.DPM_SOLVER,
                                one.betas(),
                                one.prediction(),
                                one.spacing(),
                                0,
                                1.0,
                                one.variance(),
                                true,
                                2));
    }
}
