package org.slotwise.model;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.internal.Check;

/**
 * The JSON of a configuration: its format and version, then the record.
 *
 * @param <C> the record
 */
final class ConfigurationJson<C extends Record> {

    static final int VERSION = 1;

    /**
     * What files that do not say it mean: the first models saw pictures whole, there was one
     * denoiser, Slot Attention took as many iterations in training and had a norm before its
     * perceptron, and mixtures did not start by themselves.
     */
    private static final Map<Class<?>, Map<String, JsonElement>> LATER =
            Map.of(
                    ObjectDiscoveryConfiguration.class,
                    Map.of("fit", new JsonPrimitive("squeeze")),
                    DenoiserConfiguration.class,
                    Map.of("kind", new JsonPrimitive("u_net")),
                    GroupingConfiguration.SlotAttention.class,
                    Map.of(
                            "trainingIterations",
                            JsonNull.INSTANCE,
                            "hiddenNorm",
                            new JsonPrimitive(true)),
                    GroupingConfiguration.SlotMixture.class,
                    Map.of("inferenceSeed", JsonNull.INSTANCE));

    private static final Gson PRETTY =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    /** Of an {@link ObjectDiscovery}. */
    static final ConfigurationJson<ObjectDiscoveryConfiguration> DISCOVERY =
            new ConfigurationJson<>(
                    "slotwise-object-discovery", ObjectDiscoveryConfiguration.class, parts());

    /** Of a {@link LatentSlotDiffusion}. */
    static final ConfigurationJson<LatentSlotDiffusionConfiguration> DIFFUSION =
            new ConfigurationJson<>(
                    "slotwise-latent-slot-diffusion",
                    LatentSlotDiffusionConfiguration.class,
                    withLatents());

    /** Of a {@link org.slotwise.gnm.Gnm}. */
    static final ConfigurationJson<GnmConfiguration> GNM =
            new ConfigurationJson<>("slotwise-gnm", GnmConfiguration.class, Map.of());

    private final String format;
    private final Class<C> type;
    private final String who;
    private final RecordJson records;

    private ConfigurationJson(
            String format, Class<C> type, Map<Class<?>, Map<String, ? extends Class<?>>> kinds) {
        this.format = format;
        this.type = type;
        who = type.getSimpleName();
        records = new RecordJson(kinds, LATER);
    }

    private static Map<Class<?>, Map<String, ? extends Class<?>>> parts() {
        return Map.of(
                EncoderConfiguration.class, EncoderKinds.ALL.types(),
                ConditioningConfiguration.class, ConditioningKinds.ALL.types(),
                GroupingConfiguration.class, GroupingKinds.ALL.types(),
                DecoderConfiguration.class, DecoderKinds.ALL.types());
    }

    private static Map<Class<?>, Map<String, ? extends Class<?>>> withLatents() {
        Map<Class<?>, Map<String, ? extends Class<?>>> kinds = new LinkedHashMap<>(parts());
        kinds.put(LatentsConfiguration.class, LatentKinds.ALL.types());
        kinds.put(DenoiserConfiguration.class, DenoiserKinds.ALL.types());
        return kinds;
    }

    /** What says of a file of weights what it is. */
    Map<String, String> metadata() {
        return Map.of("format", format, "version", Integer.toString(VERSION));
    }

    String write(C configuration) {
        JsonObject all = new JsonObject();
        all.addProperty("format", format);
        all.addProperty("version", VERSION);
        records.write(configuration)
                .getAsJsonObject()
                .entrySet()
                .forEach(field -> all.add(field.getKey(), field.getValue()));
        return PRETTY.toJson(all) + "\n";
    }

    /** Whether a text says that it is of this format; whatever else is wrong with it. */
    boolean isOf(String json) {
        try {
            JsonElement element = RecordJson.parse(json);
            return element.isJsonObject()
                    && new JsonPrimitive(format).equals(element.getAsJsonObject().get("format"));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    C read(String json) {
        try {
            JsonElement element = RecordJson.parse(json);
            Check.option(element.isJsonObject(), "expected an object");
            Map<String, JsonElement> fields =
                    new LinkedHashMap<>(element.getAsJsonObject().asMap());
            checkFormat(fields.remove("format"), fields.remove("version"));
            JsonObject rest = new JsonObject();
            fields.forEach(rest::add);
            return records.read(type, rest);
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            throw new IllegalArgumentException(
                    message.startsWith(who) ? message : who + ": " + message, e);
        }
    }

    private void checkFormat(@Nullable JsonElement said, @Nullable JsonElement version) {
        Check.option(
                said != null && said.isJsonPrimitive() && format.equals(said.getAsString()),
                "format must be \"" + format + "\", got " + said);
        int got = RecordJson.wholeNumber("version", version);
        Check.option(
                got <= VERSION,
                "it is of version "
                        + got
                        + ", and this library reads up to version "
                        + VERSION
                        + ": use a newer one");
        Check.option(got == VERSION, "version must be " + VERSION + ", got " + got);
    }
}
