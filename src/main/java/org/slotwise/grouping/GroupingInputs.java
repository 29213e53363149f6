package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells the inputs of a grouping block in an {@link NDList} apart: an array that carries the name
 * of an input is that input; the others fill the block's inputs in order. Arrays named as inputs
 * that the block has no use for, and auxiliary features, are passed over.
 */
final class GroupingInputs {

    static final String CONDITIONING = "conditioning";
    static final String SLOT_MASK = "slot_mask";

    /** What a grouping takes that knows neither positions nor masks. */
    static final String[] FEATURES_AND_CONDITIONING = {
        FeatureExtractorOutput.FEATURES, CONDITIONING
    };

    /** The same for a grouping that knows masks. */
    static final String[] MASKED = {FeatureExtractorOutput.FEATURES, CONDITIONING, SLOT_MASK};

    /** The same for a grouping that knows positions. */
    static final String[] POSITIONED = {
        FeatureExtractorOutput.FEATURES, FeatureExtractorOutput.POSITIONS, CONDITIONING
    };

    private static final Set<String> KNOWN =
            Set.of(
                    FeatureExtractorOutput.FEATURES,
                    FeatureExtractorOutput.POSITIONS,
                    CONDITIONING,
                    PositionedSlots.SLOT_POSITIONS,
                    SLOT_MASK);

    private final String who;
    private final Map<String, NDArray> byName;

    private GroupingInputs(String who, Map<String, NDArray> byName) {
        this.who = who;
        this.byName = byName;
    }

    /**
     * Reads the list.
     *
     * @param who the block that complains
     * @param list what it was given
     * @param order the names of its inputs in order
     * @return the inputs by name
     */
    static GroupingInputs parse(String who, NDList list, String... order) {
        List<String> names = Arrays.asList(order);
        Map<String, NDArray> byName = new HashMap<>();
        for (NDArray array : list) {
            String name = array.getName();
            if (name != null && KNOWN.contains(name) && byName.put(name, array) != null) {
                throw new IllegalArgumentException(who + ": two inputs are named " + name);
            }
        }
        Set<String> open = new HashSet<>(names);
        open.removeAll(byName.keySet());
        for (NDArray array : list) {
            String name = array.getName();
            if (name != null
                    && (KNOWN.contains(name)
                            || name.startsWith(FeatureExtractorOutput.AUX_FEATURES))) {
                continue;
            }
            String next = names.stream().filter(open::remove).findFirst().orElse(null);
            if (next == null) {
                throw new IllegalArgumentException(
                        who + ": expected inputs " + names + ", got " + list.size() + " arrays");
            }
            byName.put(next, array);
        }
        return new GroupingInputs(who, byName);
    }

    NDArray features() {
        return required(FeatureExtractorOutput.FEATURES);
    }

    NDArray required(String name) {
        NDArray array = byName.get(name);
        if (array == null) {
            throw new IllegalArgumentException(who + ": " + name + " is missing");
        }
        return array;
    }

    @Nullable NDArray conditioning() {
        return get(CONDITIONING);
    }

    @Nullable NDArray get(String name) {
        return byName.get(name);
    }

    /** The features, with positions where they came along. */
    FeatureExtractorOutput extracted() {
        return new FeatureExtractorOutput(features(), get(FeatureExtractorOutput.POSITIONS));
    }
}
