package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.weights.StateDict;

/** A {@link WeightAverage} as a {@link Checkpoint} has it: arrays, and the number of updates. */
final class SavedAverage {

    private static final String ARRAYS = "average.";
    private static final String UPDATES = "average";

    private SavedAverage() {}

    /** Adds an average to what is written. */
    static void put(WeightAverage average, Map<String, NDArray> arrays, Map<String, String> texts) {
        average.state().forEach((name, array) -> arrays.put(ARRAYS + name, array));
        texts.put(UPDATES, Long.toString(average.updates()));
    }

    /**
     * Restores an average and what goes with it: both, or neither.
     *
     * @throws IllegalArgumentException if one of them does not fit
     */
    static void restore(WeightAverage average, StateDict content, Runnable rest) {
        String updates = content.metadata().getOrDefault(UPDATES, "none");
        Check.option(
                updates.matches("\\d{1,18}"),
                "the number of updates of its average must be a number, got " + updates);
        Map<String, NDArray> former = new LinkedHashMap<>();
        average.state().forEach((name, array) -> former.put(name, Scalars.ownMemory(array)));
        long formerUpdates = average.updates();
        try {
            average.restore(content.under(ARRAYS).arrays(), Long.parseLong(updates));
            rest.run();
        } catch (IllegalArgumentException e) {
            average.restore(former, formerUpdates);
            throw e;
        } finally {
            former.values().forEach(NDArray::close);
        }
    }
}
