package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;

/**
 * Answers in JSON that were computed apart, of which numbers are the same but for rounding: where
 * arrays lie in memory, and what else is in a batch, decides in which order the engine sums.
 */
public final class JsonNumbers {

    private static final double ROUNDING = 1e-5;

    private JsonNumbers() {}

    /**
     * Requires the same names in the same order, the same texts, and numbers within 1e-5, of those
     * above 1 in their size.
     *
     * @param expected a document
     * @param actual another
     */
    public static void assertNear(String expected, String actual) {
        assertNear("", JsonParser.parseString(expected), JsonParser.parseString(actual));
    }

    private static void assertNear(String at, JsonElement expected, JsonElement actual) {
        if (expected.isJsonObject() && actual.isJsonObject()) {
            JsonObject one = expected.getAsJsonObject();
            JsonObject other = actual.getAsJsonObject();
            assertEquals(List.copyOf(one.keySet()), List.copyOf(other.keySet()), at);
            one.keySet().forEach(key -> assertNear(at + "/" + key, one.get(key), other.get(key)));
        } else if (expected.isJsonArray() && actual.isJsonArray()) {
            assertEquals(expected.getAsJsonArray().size(), actual.getAsJsonArray().size(), at);
            for (int i = 0; i < expected.getAsJsonArray().size(); i++) {
                assertNear(
                        at + "/" + i,
                        expected.getAsJsonArray().get(i),
                        actual.getAsJsonArray().get(i));
            }
        } else if (isNumber(expected) && isNumber(actual)) {
            double number = expected.getAsDouble();
            double within = ROUNDING * Math.max(1, Math.abs(number));
            assertEquals(number, actual.getAsDouble(), within, at);
        } else {
            assertEquals(expected, actual, at);
        }
    }

    private static boolean isNumber(JsonElement element) {
        return element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber();
    }
}
