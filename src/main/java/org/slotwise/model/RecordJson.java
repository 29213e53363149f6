package org.slotwise.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Records as JSON, and back without mercy: every field is there once, and nothing else is. Gson's
 * own way passes over unknown fields and makes up missing ones.
 */
final class RecordJson {

    private static final String KIND = "kind";
    private static final int DEEPEST = 32;
    private static final int MOST_DIGITS = 400;

    private final Map<Class<?>, ? extends Map<String, ? extends Class<?>>> kinds;
    private final Map<Class<?>, Map<String, JsonElement>> later;

    /**
     * Knows the kinds of some interfaces.
     *
     * @param kinds for each interface its records by their names
     * @param later of records the fields that older files lack, and of interfaces the kind, and
     *     what they mean by it
     */
    RecordJson(
            Map<Class<?>, ? extends Map<String, ? extends Class<?>>> kinds,
            Map<Class<?>, Map<String, JsonElement>> later) {
        this.kinds = kinds;
        this.later = later;
    }

    JsonElement write(@Nullable Object value) {
        if (value == null) {
            return JsonNull.INSTANCE;
        }
        if (value instanceof List<?> list) {
            JsonArray array = new JsonArray();
            list.forEach(element -> array.add(write(element)));
            return array;
        }
        if (value instanceof Record record) {
            return writeRecord(record);
        }
        if (value instanceof Enum<?> constant) {
            return new JsonPrimitive(name(constant));
        }
        return value instanceof Number number
                ? new JsonPrimitive(number)
                : value instanceof Boolean b
                        ? new JsonPrimitive(b)
                        : new JsonPrimitive(value.toString());
    }

    private JsonObject writeRecord(Record record) {
        JsonObject object = new JsonObject();
        kinds.values().stream()
                .flatMap(names -> names.entrySet().stream())
                .filter(kind -> kind.getValue() == record.getClass())
                .forEach(kind -> object.addProperty(KIND, kind.getKey()));
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            try {
                object.add(component.getName(), write(component.getAccessor().invoke(record)));
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException(e);
            }
        }
        return object;
    }

    <T> T read(Class<T> type, JsonElement json) {
        return type.cast(Objects.requireNonNull(read(type, json, "", false)));
    }

    private @Nullable Object read(
            Type type, @Nullable JsonElement json, String path, boolean nullable) {
        if (json == null) {
            throw new IllegalArgumentException(path + " is missing");
        }
        if (json.isJsonNull()) {
            Check.option(nullable, path + " must not be null");
            return null;
        }
        if (type instanceof ParameterizedType list) {
            return readList(list.getActualTypeArguments()[0], json, path);
        }
        Class<?> c = (Class<?>) type;
        if (kinds.containsKey(c) || c.isRecord()) {
            return readRecord(c, json, path);
        }
        if (c.isEnum()) {
            return constant(c, json, path);
        }
        if (c == int.class || c == Integer.class) {
            return wholeNumber(path, json);
        }
        if (c == long.class || c == Long.class) {
            return number(path, json, "a whole number", BigDecimal::longValueExact);
        }
        if (c == double.class || c == Double.class) {
            double value = number(path, json, "a number", BigDecimal::doubleValue);
            Check.option(Double.isFinite(value), path + " must be a number, got " + json);
            return value;
        }
        JsonPrimitive primitive = json.isJsonPrimitive() ? json.getAsJsonPrimitive() : null;
        boolean bool = c == boolean.class || c == Boolean.class;
        boolean fits = primitive != null && (bool ? primitive.isBoolean() : primitive.isString());
        if (primitive == null || !fits) {
            throw wrong(path, bool ? "true or false" : "a text", json);
        }
        return bool ? (Object) primitive.getAsBoolean() : primitive.getAsString();
    }

    private List<Object> readList(Type element, JsonElement json, String path) {
        if (!json.isJsonArray()) {
            throw wrong(path, "a list", json);
        }
        List<Object> list = new ArrayList<>();
        for (JsonElement one : json.getAsJsonArray()) {
            String place = path + "[" + list.size() + "]";
            list.add(Objects.requireNonNull(read(element, one, place, false)));
        }
        return list;
    }

    private Object readRecord(Class<?> type, JsonElement json, String path) {
        if (!json.isJsonObject()) {
            throw wrong(path, "an object", json);
        }
        JsonObject object = json.getAsJsonObject();
        Class<?> record = type;
        Set<String> unknown = new LinkedHashSet<>(object.keySet());
        Map<String, ? extends Class<?>> names = kinds.get(type);
        if (names != null) {
            unknown.remove(KIND);
            JsonElement said = object.get(KIND);
            JsonElement meant = said == null ? later.getOrDefault(type, Map.of()).get(KIND) : said;
            String kind = (String) read(String.class, meant, join(path, KIND), false);
            Class<?> known = names.get(kind);
            if (known == null) {
                throw new IllegalArgumentException(
                        join(path, KIND) + " must be one of " + names.keySet() + ", got " + kind);
            }
            record = known;
        }
        RecordComponent[] components = record.getRecordComponents();
        Arrays.stream(components).map(RecordComponent::getName).forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    join(path, unknown.iterator().next())
                            + " is unknown: there are "
                            + Arrays.stream(components).map(RecordComponent::getName).toList());
        }
        Map<String, JsonElement> before = later.getOrDefault(record, Map.of());
        Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            String name = components[i].getName();
            boolean nullable = components[i].getAnnotatedType().isAnnotationPresent(Nullable.class);
            types[i] = components[i].getType();
            JsonElement field = object.get(name);
            Object value =
                    read(
                            components[i].getGenericType(),
                            field == null ? before.get(name) : field,
                            join(path, name),
                            nullable);
            values[i] = value;
        }
        return make(record, types, values, path);
    }

    private static Object make(
            Class<?> record, Class<?>[] types, @Nullable Object[] values, String path) {
        try {
            Constructor<?> constructor = record.getDeclaredConstructor(types);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalArgumentException refused) {
                throw path.isEmpty()
                        ? refused
                        : new IllegalArgumentException(path + ": " + refused.getMessage(), refused);
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object constant(Class<?> type, JsonElement json, String path) {
        String text =
                json.isJsonPrimitive() && json.getAsJsonPrimitive().isString()
                        ? json.getAsString()
                        : "";
        for (Object constant : Objects.requireNonNull(type.getEnumConstants())) {
            if (name((Enum<?>) constant).equals(text)) {
                return constant;
            }
        }
        List<String> names =
                Arrays.stream(Objects.requireNonNull(type.getEnumConstants()))
                        .map(c -> name((Enum<?>) c))
                        .toList();
        throw wrong(path, "one of " + names, json);
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static int wholeNumber(String path, @Nullable JsonElement json) {
        if (json == null) {
            throw new IllegalArgumentException(path + " is missing");
        }
        return number(path, json, "a whole number", BigDecimal::intValueExact);
    }

    private interface Conversion<T> {
        T of(BigDecimal number);
    }

    private static <T> T number(String path, JsonElement json, String what, Conversion<T> to) {
        if (!json.isJsonPrimitive() || !json.getAsJsonPrimitive().isNumber()) {
            throw wrong(path, what, json);
        }
        try {
            BigDecimal number = new BigDecimal(json.getAsString());
            // What has millions of digits takes forever to convert.
            if (Math.abs((long) number.scale()) > MOST_DIGITS) {
                throw wrong(path, what, json);
            }
            return to.of(number);
        } catch (ArithmeticException | NumberFormatException e) {
            throw wrong(path, what, json);
        }
    }

    private static IllegalArgumentException wrong(String path, String what, JsonElement json) {
        String got = json.toString();
        return new IllegalArgumentException(
                (path.isEmpty() ? "it" : path)
                        + " must be "
                        + what
                        + ", got "
                        + (got.length() > 80 ? got.substring(0, 80) + "..." : got));
    }

    private static String join(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /**
     * Parses JSON as its standard has it, and refuses what is there twice.
     *
     * @throws IllegalArgumentException if it is no JSON
     */
    static JsonElement parse(String json) {
        try (JsonReader reader = new JsonReader(new StringReader(json))) {
            reader.setStrictness(Strictness.STRICT);
            JsonElement element = parse(reader, "", 0);
            Check.option(reader.peek() == JsonToken.END_DOCUMENT, "there is more after the end");
            return element;
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            throw new IllegalArgumentException("it is not JSON: " + e.getMessage(), e);
        }
    }

    private static JsonElement parse(JsonReader reader, String path, int depth) throws IOException {
        Check.option(depth < DEEPEST, path + " is too deep");
        switch (reader.peek()) {
            case BEGIN_OBJECT -> {
                JsonObject object = new JsonObject();
                reader.beginObject();
                while (reader.hasNext()) {
                    String name = reader.nextName();
                    String place = join(path, name);
                    Check.option(!object.has(name), place + " is there twice");
                    object.add(name, parse(reader, place, depth + 1));
                }
                reader.endObject();
                return object;
            }
            case BEGIN_ARRAY -> {
                JsonArray array = new JsonArray();
                reader.beginArray();
                while (reader.hasNext()) {
                    array.add(parse(reader, path + "[" + array.size() + "]", depth + 1));
                }
                reader.endArray();
                return array;
            }
            case NUMBER -> {
                return new JsonPrimitive(new BigDecimal(reader.nextString()));
            }
            case BOOLEAN -> {
                return new JsonPrimitive(reader.nextBoolean());
            }
            case NULL -> {
                reader.nextNull();
                return JsonNull.INSTANCE;
            }
            default -> {
                return new JsonPrimitive(reader.nextString());
            }
        }
    }
}
