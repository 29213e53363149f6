package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;

/** A grouping that can tell the attention of every iteration. */
public interface TracedGrouping extends MaskedGrouping {

    /**
     * Groups features in inference, and keeps the attention of every iteration. With implicit
     * differentiation there are T + 1 iterations.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), and positions if the block needs them
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @return what {@code group} gives, and the attention (B, T, K, N)
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device
     */
    AttentionTrace<PerceptualGroupingOutput> trace(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask);
}
