package org.slotwise.benchmark;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The arguments of {@link Speed}: names with values, "--rounds 15". */
record Arguments(Map<String, String> values) {

    private static final Set<String> NAMES =
            Set.of(
                    "threads",
                    "rounds",
                    "warmups",
                    "seconds",
                    "modules",
                    "sizes",
                    "who",
                    "interleave",
                    "python",
                    "csv",
                    "plot",
                    "sample");

    static Arguments parse(String[] args) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            String name = args[i].replaceFirst("^--", "");
            if (!NAMES.contains(name) || i + 1 == args.length) {
                throw new IllegalArgumentException(
                        "expected --name value with a name of " + NAMES + ", got " + args[i]);
            }
            values.put(name, args[i + 1]);
        }
        return new Arguments(values);
    }

    /** A value, or null. */
    String get(String name) {
        return values.get(name);
    }

    int number(String name, int otherwise) {
        return Integer.parseInt(values.getOrDefault(name, "" + otherwise));
    }

    List<String> list(String name, String otherwise) {
        return Arrays.asList(values.getOrDefault(name, otherwise).split(","));
    }
}
