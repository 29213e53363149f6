package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.GnmNetworks.Scene;
import org.slotwise.gnm.GnmNetworks.Stack;
import org.slotwise.testing.ReferenceCase;

/** What the cases of {@code resources/gnm} are of. */
final class GnmCases {

    private GnmCases() {}

    static Stream<ReferenceCase> of(String kind) {
        return ReferenceCase.of("gnm", kind);
    }

    static ReferenceCase named(String kind, String name) {
        return of(kind).filter(c -> c.toString().equals(name)).findFirst().orElseThrow();
    }

    private static JsonObject object(ReferenceCase reference, String name) {
        return reference.option(name).getAsJsonObject();
    }

    private static List<Integer> integers(JsonElement array, int less) {
        JsonArray all = array.getAsJsonArray();
        return all.asList().subList(0, all.size() - less).stream()
                .map(JsonElement::getAsInt)
                .toList();
    }

    private static Stack stack(JsonObject in, String name, String steps) {
        return new Stack(
                integers(in.get(name + "_filters"), 0),
                integers(in.get(name + "_kernel_sizes"), 0),
                integers(in.get(name + "_" + steps), 0),
                integers(in.get(name + "_groups"), 0));
    }

    /** The sizes of a whole model. */
    static GnmConfiguration sizes(ReferenceCase reference) {
        JsonObject data = object(reference, "data");
        JsonObject z = object(reference, "z");
        JsonObject arch = object(reference, "arch");
        JsonObject conv = arch.getAsJsonObject("conv");
        JsonObject mlp = arch.getAsJsonObject("mlp");
        JsonObject draw = arch.getAsJsonObject("structdraw");
        int g = arch.get("num_cell").getAsInt();
        JsonArray decoder = mlp.getAsJsonArray("p_global_decoder_filters");
        Scene scene =
                new Scene(
                        draw.get("kernel_size").getAsInt(),
                        draw.get("rnn_encoder_hid_dim").getAsInt(),
                        draw.get("rnn_decoder_hid_dim").getAsInt(),
                        integers(mlp.get("q_global_encoder_filters"), 1),
                        integers(mlp.get("p_global_encoder_filters"), 1),
                        integers(decoder, 1),
                        decoder.get(decoder.size() - 1).getAsInt() / (g * g),
                        stack(draw, "hid_to_dec", "strides"));
        return new GnmConfiguration(
                new GnmConfiguration.Picture(
                        data.get("img_w").getAsInt(),
                        data.get("inp_channel").getAsInt(),
                        arch.get("phase_overlap").getAsBoolean(),
                        arch.get("phase_background").getAsBoolean()),
                g,
                new GnmConfiguration.Latents(
                        z.get("z_global_dim").getAsInt(),
                        arch.get("draw_step").getAsInt(),
                        z.get("z_what_dim").getAsInt(),
                        z.get("z_bg_dim").getAsInt()),
                new GnmNetworks(
                        stack(conv, "img_encoder", "strides"),
                        stack(arch.getAsJsonObject("pwdw"), "pwdw", "strides"),
                        stack(conv, "p_what_decoder", "upscales"),
                        stack(conv, "p_bg_decoder", "upscales"),
                        scene,
                        integers(mlp.get("q_bg_encoder_filters"), 1),
                        integers(mlp.get("p_bg_generator_filters"), 1)),
                object(reference, "const").get("likelihood_sigma").getAsDouble());
    }

    private static final Map<String, GnmTerm> TERMS =
            Map.ofEntries(
                    Map.entry("pres", GnmTerm.PRESENCE),
                    Map.entry("where", GnmTerm.WHERE),
                    Map.entry("depth", GnmTerm.DEPTH),
                    Map.entry("what", GnmTerm.WHAT),
                    Map.entry("bg", GnmTerm.BACKGROUND),
                    Map.entry("global", GnmTerm.SCENE),
                    Map.entry("aux_pres", GnmTerm.FIXED_PRESENCE),
                    Map.entry("aux_where", GnmTerm.FIXED_WHERE),
                    Map.entry("aux_depth", GnmTerm.FIXED_DEPTH),
                    Map.entry("aux_what", GnmTerm.FIXED_WHAT),
                    Map.entry("aux_bg", GnmTerm.FIXED_BACKGROUND));

    /** What the original calls a term. */
    static String name(GnmTerm term) {
        return TERMS.entrySet().stream()
                .filter(e -> e.getValue() == term)
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    /** An end of 0 is the first value for ever; for priors it is what the buffer holds. */
    static @Nullable Ramp ramp(JsonObject train, String name, boolean prior) {
        long end = train.get(name + "_anneal_end_step").getAsLong();
        double first = train.get(name + "_anneal_start_value").getAsDouble();
        if (end == 0) {
            return prior ? null : Ramp.constant(first);
        }
        return new Ramp(
                train.get(name + "_anneal_start_step").getAsLong(),
                end,
                first,
                train.get(name + "_anneal_end_value").getAsDouble());
    }

    static GnmSchedules schedules(ReferenceCase reference) {
        JsonObject train = object(reference, "train");
        Map<GnmTerm, Ramp> weights = new HashMap<>();
        TERMS.forEach((name, term) -> weights.put(term, ramp(train, "beta_" + name, false)));
        JsonArray period = train.getAsJsonArray("bg_alpha_curriculum_period");
        return new GnmSchedules(
                ramp(train, "tau_pres", false),
                weights,
                ramp(train, "p_pres", true),
                ramp(train, "aux_p_scale", true),
                train.get("phase_bg_alpha_curriculum").getAsBoolean()
                        ? new GnmSchedules.Curriculum(
                                period.get(0).getAsLong(),
                                period.get(1).getAsLong(),
                                train.get("bg_alpha_curriculum_value").getAsDouble())
                        : null);
    }

    /** (B, Zb, 1, 1) as (B, Zb). */
    static @Nullable NDArray flat(@Nullable NDArray array) {
        return array == null ? null : array.reshape(array.getShape().get(0), -1);
    }

    /** The draws of a step that explains pictures. */
    static GnmNoise noise(Map<String, NDArray> in, boolean prior) {
        return new GnmNoise(
                flat(in.get(prior ? "noise_bg_prior" : "noise_bg")),
                in.get("noise_global"),
                in.get("uniform_pres"),
                in.get("noise_where"),
                in.get("noise_depth"),
                in.get("noise_what"));
    }
}
