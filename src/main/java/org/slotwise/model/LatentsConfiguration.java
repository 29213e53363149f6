package org.slotwise.model;

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
     * {@code ConvolutionalAutoencoder}: small, to be learnt first.
     *
     * @param latentChannels how many channels latents have
     * @param channels of its first layer
     */
    record Convolutional(int latentChannels, int channels) implements LatentsConfiguration {}
}
