package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunDifferencesTest {

    private record Rate(double peak, int warmUp) {}

    private record Recipe(int steps, Rate rate, int batch) {}

    private static List<String> of(Object was, Object is) {
        return RunDifferences.between(
                Map.of("recipe", was.toString()), Map.of("recipe", is.toString()));
    }

    @Test
    void ofRecordsTellsTheComponentsThatDiffer() {
        Recipe recipe = new Recipe(2, new Rate(0.1, 3), 8);
        assertEquals(List.of(), of(recipe, recipe));
        assertEquals(
                List.of("recipe was steps=2 and is now steps=4"),
                of(recipe, new Recipe(4, new Rate(0.1, 3), 8)));
        assertEquals(
                List.of(
                        "recipe was peak=0.1 and is now peak=0.2",
                        "recipe was warmUp=3 and is now warmUp=4",
                        "recipe was batch=8 and is now batch=9"),
                of(recipe, new Recipe(2, new Rate(0.2, 4), 9)));
        assertEquals(
                List.of("recipe was [1, 2] and is now [1, 2, 3]"),
                of(List.of(1, 2), List.of(1, 2, 3)));
        assertEquals(List.of("recipe was 2 and is now 3"), of(List.of(1, 2), List.of(1, 3)));
    }

    @Test
    void ofTextsTellsThemWhole() {
        assertEquals(
                List.of("a was 1 and is now not set", "b was not set and is now 2"),
                RunDifferences.between(Map.of("a", "1"), Map.of("b", "2")));
        assertEquals(List.of("recipe was x, y and is now x, z"), of("x, y", "x, z"));
    }

    @Test
    void ofJsonTellsTheFieldsThatDiffer() {
        String was =
                "{\n  \"fit\": \"crop\",\n  \"slots\": 7,\n  \"encoder\": {\"kind\": \"a\", \"sizes\": [1, 2]}\n}\n";
        String is =
                "{\"fit\": \"squeeze\", \"slots\": 7, \"encoder\": {\"kind\": \"b\", \"sizes\": [1, 3], \"more\": 1}}";
        assertEquals(
                List.of(
                        "recipe.encoder.kind was \"a\" and is now \"b\"",
                        "recipe.encoder.more was not set and is now 1",
                        "recipe.encoder.sizes was [1,2] and is now [1,3]",
                        "recipe.fit was \"crop\" and is now \"squeeze\""),
                of(was, is));
        assertEquals(List.of("recipe was {no json and is now {}"), of("{no json", "{}"));
    }
}
