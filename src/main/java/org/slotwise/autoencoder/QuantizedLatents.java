package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;

/**
 * Latents of which each place has become the nearest code.
 *
 * @param latents (B, C, h, w): codes in value, with the gradient of what was quantised
 * @param codes (B, h, w) int64: which code
 * @param loss a number: how far codes and latents are from one another
 */
public record QuantizedLatents(NDArray latents, NDArray codes, NDArray loss) {}
