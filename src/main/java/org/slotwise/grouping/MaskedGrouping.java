package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;

/** A grouping some of whose slots may be masked: they take no part, and come back as empty. */
public interface MaskedGrouping extends PerceptualGrouping {

    /**
     * Groups features into slots, of which some may be masked.
     *
     * @param parameterStore where the parameters' values are
     * @param features (B, N, F), and positions if the block needs them
     * @param conditioning the slots' initial values (B, K, D)
     * @param slotMask (B, K) boolean, true for slots that take no part; null for none
     * @param training whether to record a graph for gradients
     * @return slots (B, K, D), attributions (B, K, N) and a copy of the slot mask, owned by the
     *     manager of the features
     * @throws IllegalArgumentException if an input is missing or has another shape, type or device
     */
    PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask,
            boolean training);

    /** {@inheritDoc} */
    @Override
    default PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        return group(parameterStore, features, conditioning, null, training);
    }
}
