package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/**
 * What is done in each step of sampling to the latent that the network sees behind the noise:
 * nothing, or it is kept where latents of data can be.
 *
 * <p>A change by a codebook, as SlotDiffusion samples, is a call of its autoencoder: {@code x ->
 * vq.quantize(store, x, false).latents()}, of latents that are not scaled.
 */
@FunctionalInterface
public interface EstimateChange {

    /** No change: then a step reads and writes nothing but the latent. */
    EstimateChange NONE = estimate -> estimate;

    /**
     * Changes an estimate.
     *
     * @param estimate (B, ...), without noise
     * @return of the same shape and type
     */
    NDArray change(NDArray estimate);

    /**
     * Keeps numbers within a bound: right for pixels in [-1, 1], wrong for latents of a network.
     *
     * @param bound above 0
     * @return the change
     * @throws IllegalArgumentException if the bound is not above 0
     */
    static EstimateChange clipped(double bound) {
        Check.positive("EstimateChange", "bound", bound);
        return x -> Ops.clampMin(Ops.clampMin(x, -bound).neg(), -bound).neg();
    }
}
