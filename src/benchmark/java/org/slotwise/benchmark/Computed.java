package org.slotwise.benchmark;

import java.util.Map;

/** Something that is computed in one of several ways. */
interface Computed {

    /** What the results call the way. */
    String name();

    /** Outputs and gradients, if there are any, by name. */
    Map<String, float[]> results();

    /**
     * Whether it makes training steps, too; if not, its results are some of those of a way that
     * does.
     */
    default boolean trains() {
        return true;
    }
}
