package org.slotwise.slate;

import ai.djl.ndarray.NDArray;

/**
 * Pictures as {@link Slate} sees them.
 *
 * @param slots (B, K, E)
 * @param attention (B, K, L), of each slot to each token, sums to 1 over slots
 * @param tokens (B, L) int64, row by row
 */
public record EncodedPictures(NDArray slots, NDArray attention, NDArray tokens) {}
