package org.slotwise.model;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/** The JSON of an {@link ObjectDiscoveryConfiguration}: its format and version, then the record. */
final class ConfigurationJson {

    static final String FORMAT = "slotwise-object-discovery";
    static final int VERSION = 1;

    private static final String WHO = "ObjectDiscoveryConfiguration";
    private static final Gson PRETTY =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private static final RecordJson RECORDS =
            new RecordJson(
                    Map.of(
                            EncoderConfiguration.class, EncoderKinds.ALL.types(),
                            ConditioningConfiguration.class, ConditioningKinds.ALL.types(),
                            GroupingConfiguration.class, GroupingKinds.ALL.types(),
                            DecoderConfiguration.class, DecoderKinds.ALL.types()));

    private ConfigurationJson() {}

    static String write(ObjectDiscoveryConfiguration configuration) {
        JsonObject all = new JsonObject();
        all.addProperty("format", FORMAT);
        all.addProperty("version", VERSION);
        RECORDS.write(configuration)
                .getAsJsonObject()
                .entrySet()
                .forEach(field -> all.add(field.getKey(), field.getValue()));
        return PRETTY.toJson(all) + "\n";
    }

    static ObjectDiscoveryConfiguration read(String json) {
        try {
            JsonElement element = RecordJson.parse(json);
            Check.option(element.isJsonObject(), "expected an object");
            Map<String, JsonElement> fields =
                    new LinkedHashMap<>(element.getAsJsonObject().asMap());
            checkFormat(fields.remove("format"), fields.remove("version"));
            JsonObject rest = new JsonObject();
            fields.forEach(rest::add);
            return RECORDS.read(ObjectDiscoveryConfiguration.class, rest);
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            throw new IllegalArgumentException(
                    message.startsWith(WHO) ? message : WHO + ": " + message, e);
        }
    }

    private static void checkFormat(@Nullable JsonElement format, @Nullable JsonElement version) {
        Check.option(
                format != null && format.isJsonPrimitive() && FORMAT.equals(format.getAsString()),
                "format must be \"" + FORMAT + "\", got " + format);
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
