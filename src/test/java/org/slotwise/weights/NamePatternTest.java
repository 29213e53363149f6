package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NamePatternTest {

    /** What stars stand for, by regular expressions. */
    private static @Nullable List<String> byRegex(String pattern, String name) {
        Matcher matcher =
                Pattern.compile(
                                Arrays.stream(pattern.split("\\*", -1))
                                        .map(Pattern::quote)
                                        .collect(Collectors.joining("(.*)")),
                                Pattern.DOTALL)
                        .matcher(name);
        if (!matcher.matches()) {
            return null;
        }
        List<String> parts = new ArrayList<>();
        for (int i = 1; i <= matcher.groupCount(); i++) {
            parts.add(matcher.group(i));
        }
        return parts;
    }

    private static String random(Random random, String letters, int most) {
        return IntStream.range(0, random.nextInt(most + 1))
                .mapToObj(i -> "" + letters.charAt(random.nextInt(letters.length())))
                .collect(Collectors.joining());
    }

    @Test
    void matchesAsRegularExpressionsDo() {
        Random random = new Random(1);
        int matches = 0;
        for (int i = 0; i < 100_000; i++) {
            String pattern = random(random, "ab*.", 7);
            String name = random(random, "ab.\n", 9);
            List<String> expected = byRegex(pattern, name);
            assertEquals(expected, new NamePattern(pattern).match(name), pattern + " " + name);
            matches += expected == null ? 0 : 1;
        }
        assertEquals(true, matches > 5000, matches + " matched");
    }

    /** Not in a time that grows as its length to the power of the stars. */
    @Test
    void longNamesTakeNoTime() {
        String name = "a".repeat(1_000_000);
        assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> {
                    assertNull(new NamePattern("*a*a*a*b").match(name + "c"));
                    assertNull(new NamePattern("*a*b*a*").match(name));
                    assertEquals(4, new NamePattern("*a*a*a*").match(name).size());
                });
    }

    @Test
    void longListsOfNamesTakeNoTime() {
        List<String> names =
                IntStream.range(0, 100_000).mapToObj(i -> "models.encoder.layer." + i).toList();
        assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> {
                    NearestName nearest = new NearestName(names);
                    for (int i = 0; i < 20; i++) {
                        nearest.of("models.encoder.layers." + i);
                    }
                    assertEquals(
                            "grouping.gru.weight_ih",
                            new NearestName(
                                            new TreeSet<>(
                                                    List.of(
                                                            "grouping.gru.bias_ih",
                                                            "grouping.gru.weight_ih")))
                                    .of("grouping.gru.weight_ih0"));
                });
    }
}
