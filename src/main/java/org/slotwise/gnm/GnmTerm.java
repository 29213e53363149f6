package org.slotwise.gnm;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a {@link Gnm}'s loss has beside the likelihood: Kullback-Leibler divergences of posteriors,
 * from what the scene latent predicts, and from a second prior that is fixed.
 */
public enum GnmTerm {
    /** Presence of each cell, from the prior that the scene latent gives. */
    PRESENCE(0),
    /** Where each cell's object is, as it is drawn, from the same prior. */
    WHERE(1),
    /** How deep, from the same prior. */
    DEPTH(2),
    /** What, from the same prior. */
    WHAT(3),
    /** The background, from the prior that the scene latent gives. */
    BACKGROUND(4),
    /** The scene latent, all steps, each from its own prior. */
    SCENE(5),
    /** Presence, from a fixed probability. */
    FIXED_PRESENCE(6),
    /** Where, from a fixed normal distribution, times presence. */
    FIXED_WHERE(7),
    /** Depth, from the standard normal distribution, times presence. */
    FIXED_DEPTH(8),
    /** What, from the standard normal distribution, times presence. */
    FIXED_WHAT(9),
    /** The background, from the standard normal distribution. */
    FIXED_BACKGROUND(10);

    private final int column;

    /** A copy in the order of the terms, the same in every process. */
    static <V> Map<GnmTerm, V> ordered(Map<GnmTerm, V> map) {
        Map<GnmTerm, V> copy = new EnumMap<>(GnmTerm.class);
        copy.putAll(map);
        return Collections.unmodifiableMap(copy);
    }

    GnmTerm(int column) {
        this.column = column;
    }

    /**
     * Its place among all terms.
     *
     * @return its column in {@link GnmOutput#terms}
     */
    public int column() {
        return column;
    }
}
