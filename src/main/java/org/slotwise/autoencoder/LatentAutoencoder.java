package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

/**
 * Makes images into smaller maps, latents, and these into images again.
 *
 * <p>Implement it to use an autoencoder of your own in latent diffusion; extend {@link
 * ai.djl.nn.AbstractBlock} for the rest of a block's duties. As a block on lists it takes images
 * and, by the name "noise", draws for its sample, and gives reconstruction, mean and, where it has
 * one, log variance.
 *
 * <p>{@code training} false means inference: no graph for gradients is recorded.
 */
public interface LatentAutoencoder extends Block {

    /**
     * Encodes images.
     *
     * @param store where the parameters' values are
     * @param images (B, 3, H, W) of the parameters' type, in [-1, 1], H and W multiples of {@link
     *     #factor}
     * @param training whether to record a graph for gradients
     * @return what latents they may be, (B, C, H / factor, W / factor), owned by the images'
     *     manager
     * @throws IllegalArgumentException if the images have another shape or type
     */
    LatentDistribution encode(ParameterStore store, NDArray images, boolean training);

    /**
     * Decodes latents.
     *
     * @param store where the parameters' values are
     * @param latents (B, C, h, w) as {@link #encode} gives them, not scaled
     * @param training whether to record a graph for gradients
     * @return images (B, 3, factor h, factor w), not bounded, owned by the latents' manager
     * @throws IllegalArgumentException if the latents have another shape or type
     */
    NDArray decode(ParameterStore store, NDArray latents, boolean training);

    /**
     * How many channels latents have.
     *
     * @return C
     */
    int latentChannels();

    /**
     * How many pixels a place of the latents has side by side.
     *
     * @return at least 1
     */
    int factor();

    /**
     * What latents are multiplied by before noise is added to them, so that they are of about unit
     * variance: 0.18215 for Stable Diffusion's. Neither {@link #encode} nor {@link #decode} uses
     * it.
     *
     * @return above 0
     */
    double scale();
}
