package org.slotwise.model;

import ai.djl.ndarray.types.Shape;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.LatentAutoencoder;
import org.slotwise.autoencoder.PatchAutoencoder;
import org.slotwise.autoencoder.PatchLatents;
import org.slotwise.autoencoder.VqAutoencoder;
import org.slotwise.diffusion.EstimateChange;

/** The kinds of latents. */
final class LatentKinds {

    private static final int COLOURS = 3;

    static final Kinds<LatentsConfiguration, LatentSpace> ALL =
            new Kinds<LatentsConfiguration, LatentSpace>()
                    .with(
                            "patches",
                            LatentsConfiguration.Patches.class,
                            (c, sizes) ->
                                    new LatentSpace(
                                            new PatchLatents(COLOURS, c.size()),
                                            // Pixels are known to be in [-1, 1].
                                            EstimateChange.clipped(1)))
                    .with(
                            "learnt_patches",
                            LatentsConfiguration.LearntPatches.class,
                            (c, sizes) ->
                                    new LatentSpace(
                                            new PatchAutoencoder(
                                                    c.size(),
                                                    c.latentChannels(),
                                                    c.channels(),
                                                    c.blocks(),
                                                    1),
                                            EstimateChange.NONE))
                    .with(
                            "kl",
                            LatentsConfiguration.Kl.class,
                            (c, sizes) ->
                                    new LatentSpace(
                                            new AutoencoderKl(c.sizes()), EstimateChange.NONE))
                    .with(
                            "vq",
                            LatentsConfiguration.Vq.class,
                            (c, sizes) ->
                                    new LatentSpace(
                                            new VqAutoencoder(c.sizes(), c.codes()),
                                            EstimateChange.NONE));

    private LatentKinds() {}

    /** The shape (C, h, w) of the latent of an image. */
    static Shape latents(LatentAutoencoder autoencoder, int height, int width) {
        int factor = autoencoder.factor();
        if (height % factor != 0 || width % factor != 0) {
            throw new IllegalArgumentException(
                    "LatentSlotDiffusion: height and width of images must be multiples of "
                            + factor
                            + " for these latents, got "
                            + height
                            + " by "
                            + width);
        }
        return new Shape(autoencoder.latentChannels(), height / factor, width / factor);
    }
}
