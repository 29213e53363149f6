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
                add(name, before, after, differences);
            }
        }
        return differences;
    }

    /** Of records and JSON the components that differ; whole texts otherwise. */
    private static void add(String name, String was, String is, List<String> differences) {
        if (was.startsWith("{") && is.startsWith("{")) {
            try {
                addFields(fields(name, was), fields(name, is), differences);
                return;
            } catch (JsonParseException e) {
                // No JSON, then: whole.
            }
        }
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

    private static void addFields(
            Map<String, String> was, Map<String, String> is, List<String> differences) {
        TreeSet<String> names = new TreeSet<>(was.keySet());
        names.addAll(is.keySet());
        for (String name : names) {
            if (!Objects.equals(was.get(name), is.get(name))) {
                differences.add(told(name, was.get(name), is.get(name)));
            }
        }
    }

    private static Map<String, String> fields(String name, String json) {
        Map<String, String> fields = new TreeMap<>();
        add(name, JsonParser.parseString(json), fields);
        return fields;
    }

    private static void add(String path, JsonElement json, Map<String, String> fields) {
        if (json.isJsonObject()) {
            json.getAsJsonObject().asMap().forEach((k, v) -> add(path + "." + k, v, fields));
        } else {
            fields.put(path, json.toString());
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
