package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.SharedTime;

/**
 * A {@link Denoiser} under slots that stay the same, as they do in sampling: what follows from them
 * and from the weights alone is computed once. It is made by {@link Denoiser#told}.
 *
 * <p>What is kept belongs to the slots' manager, until this is closed; it is of the weights that
 * the network had when this was made.
 */
public interface ToldDenoiser extends AutoCloseable {

    /**
     * Predicts, without a graph.
     *
     * @param latents z_t (B, C, h, w) of the parameters' type
     * @param timesteps t (B) int64, for each picture its own
     * @return (B, C', h, w), owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    NDArray predict(NDArray latents, NDArray timesteps);

    /**
     * Predicts at a time that all pictures share, without a graph.
     *
     * @param latents z_t (B, C, h, w) of the parameters' type
     * @param time t, at least 0; those that the network was told beforehand are the fastest
     * @return (B, C', h, w), owned by the latents' manager
     * @throws IllegalArgumentException if the latents have another shape or type, or the time is
     *     below 0
     */
    default NDArray predict(NDArray latents, int time) {
        return SharedTime.ask("ToldDenoiser", latents, time, this::predict);
    }

    /** Frees what is kept; nothing is predicted afterwards. */
    @Override
    void close();
}
