package org.slotwise.examples.sets;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link PropertyModel} comes to its slots.
 *
 * @param grouping what makes them
 * @param gradients which iterations it learns by
 * @param iterations how many it takes
 * @param count how many objects it can say at most
 */
record PropertySlots(
        PropertyGrouping grouping, PropertyGradients gradients, int iterations, int count) {

    private static final String GROUPING = "grouping";
    private static final String GRADIENTS = "gradients";
    private static final String ITERATIONS = "iterations";

    /** Of a mixture: whose head reads more than slots. */
    private static final String READS = "reads";

    private static final String FEATURES = "features";

    /**
     * What a file says of it.
     *
     * @param said its metadata
     * @param iterations how many iterations are wanted; null for as many as it learnt with
     * @param count how many objects it shall say at most
     * @throws IllegalArgumentException if it does not say which grouping it has, something else
     *     than is known, or is a mixture of before its head read features beside slots
     */
    static PropertySlots of(Map<String, String> said, @Nullable Integer iterations, int count) {
        PropertyGrouping grouping = known(PropertyGrouping.values(), GROUPING, said);
        boolean old = !said.containsKey(GRADIENTS); // of before that was a choice
        if (grouping == PropertyGrouping.MIXTURE && !FEATURES.equals(said.get(READS))) {
            throw new IllegalArgumentException(
                    "it is a mixture whose head reads slots alone; train one again");
        }
        return new PropertySlots(
                grouping,
                old ? PropertyGradients.LAST : known(PropertyGradients.values(), GRADIENTS, said),
                iterations == null ? learnt(said) : iterations,
                count);
    }

    private static int learnt(Map<String, String> said) {
        String number = said.get(ITERATIONS);
        if (number == null) {
            return PropertyTraining.ITERATIONS;
        }
        if (!number.matches("[1-9]\\d{0,2}")
                || Integer.parseInt(number) > SetModelOptions.MAX_ITERATIONS) {
            throw new IllegalArgumentException("it says it has " + number + " iterations");
        }
        return Integer.parseInt(number);
    }

    private static <T extends Enum<T>> T known(T[] all, String what, Map<String, String> said) {
        return Arrays.stream(all)
                .filter(value -> value.toString().equals(said.get(what)))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "it does not say which " + what + " it has"));
    }

    /** What goes into a file; the number of slots may change from call to call. */
    Map<String, String> metadata() {
        Map<String, String> said = new HashMap<>();
        said.put(GROUPING, grouping.toString());
        said.put(GRADIENTS, gradients.toString());
        said.put(ITERATIONS, Integer.toString(iterations));
        if (grouping == PropertyGrouping.MIXTURE) {
            said.put(READS, FEATURES);
        }
        return said;
    }
}
