package org.slotwise.gnm;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * What a step of training takes that is no weight of the model: {@link GnmSchedules} gives it.
 *
 * @param temperature of relaxed presence, above 0
 * @param weights of the loss's terms; 1 where there is none
 * @param presencePrior the fixed probability of an object, above 0 and below 1; null for that of
 *     the buffer {@code aux_p_pres_probs}
 * @param sizePrior the mean of the fixed prior of size, before the sigmoid; null for that of the
 *     buffer {@code aux_p_where_mean}
 * @param covered how much of each pixel objects are made to explain, whatever their alphas, from 0
 *     to 1; null where alphas decide
 */
public record GnmSetting(
        double temperature,
        Map<GnmTerm, Double> weights,
        @Nullable Double presencePrior,
        @Nullable Double sizePrior,
        @Nullable Double covered) {

    /**
     * Creates the setting.
     *
     * @param temperature above 0
     * @param weights finite
     * @param presencePrior above 0 and below 1
     * @param sizePrior finite
     * @param covered from 0 to 1
     * @throws IllegalArgumentException if a number is out of its range
     */
    public GnmSetting {
        String who = "GnmSetting";
        Check.positive(who, "temperature", temperature);
        weights = GnmTerm.ordered(weights);
        weights.forEach((term, weight) -> Check.notNegative(who, "weight of " + term, weight));
        Check.option(
                presencePrior == null || (presencePrior > 0 && presencePrior < 1),
                who + ": presencePrior must be above 0 and below 1, got " + presencePrior);
        Check.option(
                sizePrior == null || Double.isFinite(sizePrior),
                who + ": sizePrior must be finite, got " + sizePrior);
        Check.option(
                covered == null || (covered >= 0 && covered <= 1),
                who + ": covered must be from 0 to 1, got " + covered);
    }

    /**
     * All weights 1, the priors of the buffers, alphas decide.
     *
     * @param temperature above 0
     * @return the setting
     */
    public static GnmSetting of(double temperature) {
        return new GnmSetting(temperature, Map.of(), null, null, null);
    }

    /** The weight of a term. */
    double weight(GnmTerm term) {
        return weights.getOrDefault(term, 1.0);
    }

    /** All weights in the terms' order. */
    double[] allWeights() {
        double[] all = new double[GnmTerm.values().length];
        for (GnmTerm term : GnmTerm.values()) {
            all[term.column()] = weight(term);
        }
        return all;
    }

    /** By term. */
    static Map<GnmTerm, Double> weights(Map<GnmTerm, Ramp> ramps, long step) {
        Map<GnmTerm, Double> weights = new EnumMap<>(GnmTerm.class);
        ramps.forEach((term, ramp) -> weights.put(term, ramp.at(step)));
        return weights;
    }
}
