package org.slotwise.diffusion;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.slotwise.diffusion.DiffusersScheduler.Kind;
import org.slotwise.weights.DiffusersFolder;

/** The options of diffusers' schedulers: from a folder, and for one. */
final class SchedulerFolder {

    private static final String CLIP = "clip_sample";
    private static final String RANGE = "clip_sample_range";
    private static final String VARIANCE = "variance_type";
    private static final String TO_ONE = "set_alpha_to_one";

    /**
     * Options of other schedulers, which stay in a file when diffusers makes one scheduler of
     * another, and options of what is off. Those of {@link DiffusersScheduler} are read all the
     * same, for the scheduler to become the other.
     */
    private static final String[] OF_OTHERS = {
        CLIP,
        RANGE,
        "skip_prk_steps",
        "solver_type",
        "algorithm_type",
        "lower_order_final",
        "euler_at_final",
        "final_sigmas_type",
        "lambda_min_clipped",
        "dynamic_thresholding_ratio",
        "sample_max_value",
        "flow_shift",
        "time_shift_type"
    };

    private SchedulerFolder() {}

    static DiffusersScheduler read(DiffusersFolder folder) throws IOException {
        String name = folder.requireKind(all(Kind.values(), k -> k.theirs).toArray(String[]::new));
        Kind kind = one(Kind.values(), k -> k.theirs, name);
        boolean solver = kind == Kind.DPM_SOLVER;
        folder.require("thresholding", "false");
        BetaSchedule betas =
                new BetaSchedule(
                        among(folder, "beta_schedule", BetaSchedule.Curve.values(), c -> c.theirs),
                        folder.integer("num_train_timesteps", 1000),
                        folder.number("beta_start", 1e-4),
                        folder.number("beta_end", 0.02),
                        folder.flag("rescale_betas_zero_snr", false));
        Prediction prediction =
                among(folder, "prediction_type", Prediction.values(), SchedulerFolder::theirs);
        TimestepSpacing spacing =
                spacing(folder, solver ? TimestepSpacing.LINSPACE : TimestepSpacing.LEADING);
        boolean clips = !solver && folder.flag(CLIP, true);
        if (solver) {
            solver(folder);
        }
        DiffusersScheduler scheduler =
                new DiffusersScheduler(
                        kind,
                        betas,
                        prediction,
                        spacing,
                        folder.integer("steps_offset", 0),
                        clips ? (Double) folder.number(RANGE, 1) : null,
                        variance(folder),
                        folder.flag(TO_ONE, true),
                        folder.integer("solver_order", 2));
        folder.passOver(OF_OTHERS);
        folder.refuseOthers();
        return scheduler;
    }

    /** Options of DPM-Solver of which one value is supported. */
    private static void solver(DiffusersFolder folder) throws IOException {
        folder.require("algorithm_type", "\"dpmsolver++\"");
        folder.require("solver_type", "\"midpoint\"");
        folder.require("lower_order_final", "true");
        folder.require("final_sigmas_type", "\"zero\"");
        folder.require("lambda_min_clipped", "\"-Infinity\"");
    }

    private static String theirs(Prediction prediction) {
        return switch (prediction) {
            case NOISE -> "epsilon";
            case VELOCITY -> "v_prediction";
            case DATA -> "sample";
        };
    }

    /**
     * The variance, of whatever kind: networks that learn theirs give twice as many channels. Null
     * is DPM-Solver's default, and the small one by its logarithm is the small one.
     */
    private static Ddpm.Variance variance(DiffusersFolder folder) throws IOException {
        if (folder.isNull(VARIANCE) || folder.text(VARIANCE, "").equals("fixed_small_log")) {
            return Ddpm.Variance.FIXED_SMALL;
        }
        return among(folder, VARIANCE, Ddpm.Variance.values(), SchedulerFolder::lower);
    }

    private static TimestepSpacing spacing(DiffusersFolder folder, TimestepSpacing otherwise)
            throws IOException {
        String name = folder.text("timestep_spacing", lower(otherwise));
        for (TimestepSpacing spacing : TimestepSpacing.values()) {
            if (lower(spacing).equals(name)) {
                return spacing;
            }
        }
        List<String> all = all(TimestepSpacing.values(), SchedulerFolder::lower);
        throw wrong(folder, "timestep_spacing", all, name);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** The value that an option names; the first where it is left out. */
    private static <T> T among(
            DiffusersFolder folder, String option, T[] values, Function<T, String> name)
            throws IOException {
        List<String> all = all(values, name);
        String got = folder.text(option, all.get(0));
        if (!all.contains(got)) {
            throw wrong(folder, option, all, got);
        }
        return one(values, name, got);
    }

    private static <T> List<String> all(T[] values, Function<T, String> name) {
        return Arrays.stream(values).map(name).toList();
    }

    private static <T> T one(T[] values, Function<T, String> name, String wanted) {
        return values[all(values, name).indexOf(wanted)];
    }

    private static IOException wrong(
            DiffusersFolder folder, String option, List<String> supported, String got) {
        return new IOException(
                folder.path()
                        + ": "
                        + option
                        + " must be "
                        + String.join(" or ", supported)
                        + ", got "
                        + got
                        + ": other values are not supported");
    }

    /** What {@link #read} reads. */
    static Map<String, Object> options(DiffusersScheduler scheduler) {
        BetaSchedule betas = scheduler.betas();
        Double clip = scheduler.clip();
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("_class_name", scheduler.kind().theirs);
        options.put("num_train_timesteps", betas.steps());
        options.put("beta_start", betas.first());
        options.put("beta_end", betas.last());
        options.put("beta_schedule", betas.curve().theirs);
        options.put("rescale_betas_zero_snr", betas.zeroTerminalSnr());
        options.put("prediction_type", theirs(scheduler.prediction()));
        options.put("timestep_spacing", lower(scheduler.spacing()));
        options.put("steps_offset", scheduler.offset());
        options.put("thresholding", false);
        if (scheduler.kind() != Kind.DPM_SOLVER) {
            options.put(CLIP, clip != null);
            options.put(RANGE, clip == null ? 1.0 : clip);
        }
        switch (scheduler.kind()) {
            case DDPM -> options.put(VARIANCE, lower(scheduler.variance()));
            case DDIM -> options.put(TO_ONE, scheduler.alphaToOne());
            case DPM_SOLVER -> {
                options.put("solver_order", scheduler.order());
                options.put("algorithm_type", "dpmsolver++");
                options.put("solver_type", "midpoint");
                options.put("lower_order_final", true);
                options.put("final_sigmas_type", "zero");
            }
        }
        return options;
    }
}
