package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.slotwise.layer.GruCell;

/** The values of {@link InvariantSlotAttention}'s parameters on the device of the features. */
record InvariantSlotAttentionWeights(
        NDArray query, // (D, D)
        NDArray key, // (D, F)
        NDArray value, // (D, F)
        GruCell gru,
        NDArray inputNormGain, // (F)
        NDArray inputNormOffset, // (F)
        NDArray slotNormGain, // (D)
        NDArray slotNormOffset, // (D)
        NDArray logScale, // ()
        NDArray scale, // (1, D)
        NDArray scaleBias, // (1)
        NDArray direction, // (2, D)
        NDArray directionBias, // (2)
        NDArray relativeFeature, // (R, F)
        NDArray relativeFeatureBias, // (R)
        NDArray relativePosition, // (R, 2 (1 + 2 L))
        NDArray relativeOutput, // (D, R)
        NDArray relativeOutputBias, // (D)
        NDArray displacement, // (D, 4)
        NDArray displacementBias) {} // (D)
