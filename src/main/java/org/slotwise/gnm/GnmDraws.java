package org.slotwise.gnm;

import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * How cells and background are taken from their distributions: drawn, or the most probable.
 *
 * @param temperature of relaxed presence, above 0; null for the most probable: presence 1 where it
 *     is more probable than not, else 0, and all else at its mean
 * @param noise what is not to be drawn
 */
public record GnmDraws(@Nullable Double temperature, GnmNoise noise) {

    /**
     * Creates the choice.
     *
     * @param temperature above 0, or null
     * @param noise what is not to be drawn
     * @throws IllegalArgumentException if the temperature is not above 0
     */
    public GnmDraws {
        if (temperature != null) {
            Check.positive("GnmDraws", "temperature", temperature);
        }
    }

    /**
     * The most probable cells and background. Where a scene latent is made, it is drawn all the
     * same.
     *
     * @return the choice
     */
    public static GnmDraws mode() {
        return new GnmDraws(null, GnmNoise.drawn());
    }

    /**
     * Drawn with the engine's generator.
     *
     * @param temperature of relaxed presence, above 0
     * @return the choice
     */
    public static GnmDraws at(double temperature) {
        return new GnmDraws(temperature, GnmNoise.drawn());
    }

    /**
     * The same choice with draws that are given.
     *
     * @param given what is not to be drawn
     * @return the choice
     */
    public GnmDraws with(GnmNoise given) {
        return new GnmDraws(temperature, given);
    }
}
