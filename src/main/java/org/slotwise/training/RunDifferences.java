package org.slotwise.training;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** In what two runs differ, in words. */
final class RunDifferences {

    private RunDifferences() {}

    /**
     * The texts that differ, each as "name was a and is now b".
     *
     * @param was the texts of a run by name
     * @param is those of another
     * @return none if they are equal
     */
    static List<String> between(Map<String, String> was, Map<String, String> is) {
        TreeSet<String> names = new TreeSet<>(was.keySet());
        names.addAll(is.keySet());
        List<String> differences = new ArrayList<>();
        for (String name : names) {
            String before = was.get(name);
            String after = is.get(name);
            if (before == null || after == null) {
                differences.add(told(name, before, after));
            } else if (!before.equals(after)) {
                Map<String, String> wasParts = parts(name, before);
                Map<String, String> isParts = parts(name, after);
                if (wasParts == null || isParts == null) {
                    add(name, before, after, differences);
                } else {
                    addAll(wasParts, isParts, differences);
                }
            }
        }
        return differences;
    }

    /**
     * What stands in an object of JSON, under names such as "configuration.encoder.kernel"; null
     * for another text.
     */
    private static @Nullable Map<String, String> parts(String name, String text) {
        if (!text.startsWith("{")) {
            return null;
        }
        try {
            Map<String, String> parts = new TreeMap<>();
            addParts(name, JsonParser.parseString(text), parts);
            return parts;
        } catch (JsonParseException e) {
            return null;
        }
    }

    private static void addParts(String name, JsonElement element, Map<String, String> parts) {
        if (element.isJsonObject()) {
            element.getAsJsonObject()
                    .asMap()
                    .forEach((key, value) -> addParts(name + '.' + key, value, parts));
        } else {
            parts.put(name, element.toString());
        }
    }

    private static void addAll(
            Map<String, String> was, Map<String, String> is, List<String> differences) {
        TreeSet<String> names = new TreeSet<>(was.keySet());
        names.addAll(is.keySet());
        for (String name : names) {
            String before = was.get(name);
            String after = is.get(name);
            if (!Objects.equals(before, after)) {
                differences.add(told(name, before, after));
            }
        }
    }

    /** Of records with the same components, those that differ; whole texts otherwise. */
    private static void add(String name, String was, String is, List<String> differences) {
        String[] before = was.split(", ", -1);
        String[] after = is.split(", ", -1);
        if (before.length != after.length || !was.endsWith("]") || !is.endsWith("]")) {
            differences.add(told(name, was, is));
            return;
        }
        for (int i = 0; i < before.length; i++) {
            if (!before[i].equals(after[i])) {
                differences.add(told(name, component(before[i]), component(after[i])));
            }
        }
    }

    /** Without the brackets of the records around it. */
    private static String component(String part) {
        return part.replaceAll("^.*\\[(?=.*=)", "").replaceAll("]+$", "");
    }

    private static String told(String name, @Nullable String was, @Nullable String is) {
        return name + " was " + orNothing(was) + " and is now " + orNothing(is);
    }

    private static String orNothing(@Nullable String value) {
        return value == null ? "not set" : value;
    }
}
