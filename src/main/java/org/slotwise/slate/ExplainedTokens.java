package org.slotwise.slate;

import ai.djl.ndarray.NDArray;

/**
 * How well slots explain tokens.
 *
 * @param crossEntropy (), of the transformer's predictions, summed over a picture's tokens, mean of
 *     the batch
 * @param slots (B, K, E)
 * @param attention (B, K, L), of each slot to each token, sums to 1 over slots
 */
public record ExplainedTokens(NDArray crossEntropy, NDArray slots, NDArray attention) {}
