package org.slotwise.model;

import org.slotwise.autoencoder.AutoencoderSizes;

/**
 * What a {@link LatentSlotDiffusion} diffuses. Each kind is a record, whose numbers mean what the
 * options of the block do.
 */
public sealed interface LatentsConfiguration {

    /**
     * Pixels in patches, by {@code PatchLatents}: nothing is learnt, and nothing lost. Sampling
     * keeps what the network sees in [-1, 1].
     *
     * @param size height and width of a patch
     */
    record Patches(int size) implements LatentsConfiguration {}

    /**
     * Patches by {@code PatchAutoencoder}: small, to be learnt first.
     *
     * @param size height and width of a patch
     * @param latentChannels how many channels latents have
     * @param channels of its layers, a multiple of 8
     * @param blocks residual blocks of encoder and decoder each
     */
    record LearntPatches(int size, int latentChannels, int channels, int blocks)
            implements LatentsConfiguration {}

    /**
     * {@code AutoencoderKl}, Stable Diffusion's among others. What is diffused are the means of
     * latents; Latent Slot Diffusion draws them anew in each step of training.
     *
     * @param sizes its sizes; their scale is that of latents at first
     */
    record Kl(AutoencoderSizes sizes) implements LatentsConfiguration {}

    /**
     * {@code VqAutoencoder}, SlotDiffusion's among others: what is diffused are latents before they
     * are quantised, and images are made of quantised ones. Sampling leaves estimates as they are;
     * how to have them quantised in each step, as SlotDiffusion does, is in {@link
     * LatentSlotDiffusion}.
     *
     * @param sizes its sizes; their scale is that of latents at first
     * @param codes how many codes there are
     */
    record Vq(AutoencoderSizes sizes, int codes) implements LatentsConfiguration {}
}
