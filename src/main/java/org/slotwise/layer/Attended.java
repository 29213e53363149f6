package org.slotwise.layer;

import ai.djl.ndarray.NDArray;

/**
 * What attention gives.
 *
 * @param output y (B, N, D)
 * @param weights a (B, H, M, N): for each place that looks (the last axis) how it looks at each of
 *     the memory; sums to 1 over the memory
 */
public record Attended(NDArray output, NDArray weights) {}
