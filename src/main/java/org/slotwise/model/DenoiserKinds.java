package org.slotwise.model;

import org.slotwise.unet.BranchNormUNet;
import org.slotwise.unet.Denoiser;
import org.slotwise.unet.UNet;

/** The kinds of denoisers. */
final class DenoiserKinds {

    static final Kinds<DenoiserConfiguration, Denoiser> ALL =
            new Kinds<DenoiserConfiguration, Denoiser>()
                    .with(
                            "u_net",
                            DenoiserConfiguration.UNet.class,
                            (c, sizes) -> new UNet(c.sizes()))
                    .with(
                            "branch_norm_u_net",
                            DenoiserConfiguration.BranchNormUNet.class,
                            (c, sizes) -> new BranchNormUNet(c.sizes()));

    private DenoiserKinds() {}
}
