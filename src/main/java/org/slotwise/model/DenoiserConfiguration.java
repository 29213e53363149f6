package org.slotwise.model;

import org.slotwise.unet.UNetConfiguration;

/** How the denoiser of a {@link LatentSlotDiffusion} is made. Each kind is a record. */
public sealed interface DenoiserConfiguration {

    /**
     * {@code UNet}.
     *
     * @param sizes its sizes; its slots are of the model's size, its channels those of latents
     */
    record UNet(UNetConfiguration sizes) implements DenoiserConfiguration {}
}
