package org.slotwise.slate;

import ai.djl.ndarray.NDArray;

/**
 * Pictures that {@link Slate} made of slots.
 *
 * @param pictures (B, C, S, S), in [0, 1]
 * @param tokens (B, L) int64, row by row
 */
public record GeneratedPictures(NDArray pictures, NDArray tokens) {}
