package org.slotwise.model;

import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.UNetConfiguration;

/** How the denoiser of a {@link LatentSlotDiffusion} is made. Each kind is a record. */
public sealed interface DenoiserConfiguration {

    /**
     * {@code UNet}, that of diffusers. Where a file does not say the kind, it is this one.
     *
     * @param sizes its sizes; its slots are of the model's size, its channels those of latents
     */
    record UNet(UNetConfiguration sizes) implements DenoiserConfiguration {}

    /**
     * {@code BranchNormUNet}, that of COL775's solution. Heights and widths of latents are
     * multiples of 8.
     *
     * @param sizes its sizes; its slots are of the model's size, its channels those of latents
     */
    record BranchNormUNet(BranchNormConfiguration sizes) implements DenoiserConfiguration {}
}
