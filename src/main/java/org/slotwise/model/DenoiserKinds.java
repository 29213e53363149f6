package org.slotwise.model;

import org.slotwise.unet.Denoiser;
import org.slotwise.unet.UNet;

/** The kinds of denoisers. */
final class DenoiserKinds {

    static final Kinds<DenoiserConfiguration, Denoiser> ALL =
            new Kinds<DenoiserConfiguration, Denoiser>()
                    .with(
                            "u_net",
                            DenoiserConfiguration.UNet.class,
                            (c, sizes) -> new UNet(c.sizes()));

    private DenoiserKinds() {}
}
