package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;

/**
 * The slots of {@link SlotMixtureGrouping}, with the share of the image that each of them has.
 *
 * @param objects (B, K, D): D / 2 means, then the logarithms of as many standard deviations
 * @param attributions (B, K, N), the probability that a feature is of a slot
 * @param priors (B, K), the probability of a slot, 0 if it is masked; sums to 1 over slots, unless
 *     all are masked
 * @param isEmpty (B, K) boolean, the slot mask; null if none was given
 */
public record MixtureSlots(
        NDArray objects, NDArray attributions, NDArray priors, @Nullable NDArray isEmpty) {

    /**
     * The same without priors, for whatever takes any grouping's output.
     *
     * @return objects, attributions and the empty-slot indicator
     */
    public PerceptualGroupingOutput grouping() {
        return new PerceptualGroupingOutput(objects, attributions, isEmpty);
    }
}
