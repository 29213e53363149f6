package org.slotwise.diffusion;

import java.util.stream.Stream;
import org.slotwise.testing.ReferenceCase;

/** What the cases of {@code resources/diffusion} are of. */
final class DiffusionCases {

    private DiffusionCases() {}

    static Stream<ReferenceCase> of(String kind) {
        return ReferenceCase.of("diffusion", kind);
    }

    static ReferenceCase only(String kind) {
        return of(kind).findFirst().orElseThrow();
    }

    private static String text(ReferenceCase reference, String name, String otherwise) {
        return reference.option(name) == null ? otherwise : reference.option(name).getAsString();
    }

    /** The schedule that a case of diffusers' is of. */
    static NoiseSchedule schedule(ReferenceCase reference) {
        double first = reference.number("beta_start", 1e-4);
        double last = reference.number("beta_end", 0.02);
        NoiseSchedule schedule =
                switch (text(reference, "beta_schedule", "linear")) {
                    case "scaled_linear" -> NoiseSchedule.scaledLinear(1000, first, last);
                    case "squaredcos_cap_v2" -> NoiseSchedule.cosine(1000);
                    default -> NoiseSchedule.linear(1000, first, last);
                };
        return reference.flag("rescale_betas_zero_snr") ? schedule.withZeroTerminalSnr() : schedule;
    }

    /** The same as diffusers has it: betas, their differences from 1 and products in float32. */
    static NoiseSchedule rounded(ReferenceCase reference) {
        NoiseSchedule exact = schedule(reference);
        double[] alphaBars = new double[exact.steps()];
        float product = 1;
        for (int t = 0; t < alphaBars.length; t++) {
            product *= 1 - (float) exact.beta(t);
            alphaBars[t] = product;
        }
        return NoiseSchedule.ofAlphaBars(alphaBars);
    }

    static Prediction prediction(ReferenceCase reference) {
        return switch (text(reference, "prediction_type", "epsilon")) {
            case "v_prediction" -> Prediction.VELOCITY;
            case "sample" -> Prediction.DATA;
            default -> Prediction.NOISE;
        };
    }

    static EstimateChange change(ReferenceCase reference) {
        boolean clipped = reference.option("clip_sample") == null || reference.flag("clip_sample");
        return clipped ? EstimateChange.clipped(1) : EstimateChange.NONE;
    }
}
