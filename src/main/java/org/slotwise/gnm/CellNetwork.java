package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;
import org.slotwise.torchscript.ScriptModule;

/**
 * The latents of all cells from a map: the same network for the posterior, of the encoder's map,
 * and for the prior, of the scene's.
 */
record CellNetwork(
        NormedStack trunk,
        Convolution presence,
        Convolution where,
        Convolution depth,
        Convolution what) {

    /** How large a logit of presence can be. */
    static final double LOGIT_SCALE = 8.8;

    private static final Window PLACE = Window.valid(1);

    static CellNetwork of(Declarer parameters, GnmConfiguration sizes) {
        GnmNetworks.Stack cells = sizes.networks().cells();
        NormedStack trunk =
                GnmLayers.convolutions(
                        parameters.under("pwdw_net"),
                        sizes.networks().encoder().last(),
                        cells,
                        false);
        long in = cells.last();
        Convolution depth = Convolution.of(parameters.under("q_depth_net"), in, 2, PLACE);
        Convolution where =
                Convolution.of(
                        parameters.under("q_where_net"),
                        in,
                        8,
                        PLACE,
                        StartingValues.uniform(0.01),
                        (manager, shape, type) ->
                                Scalars.of(
                                        manager,
                                        manager.getDevice(),
                                        new double[] {-1, 0, 0, 0, 0, 0, 0, 0},
                                        shape,
                                        type));
        return new CellNetwork(
                trunk,
                Convolution.of(parameters.under("q_pres_net"), in, 1, PLACE),
                where,
                depth,
                Convolution.of(
                        parameters.under("q_what_net"), in, 2L * sizes.latents().what(), PLACE));
    }

    /**
     * The equations on a map (B, G, G, E), whose places become rows: logits (B G G, 1), and means
     * and deviations of where, depth and what side by side, (B G G, 5 + Za). The four heads are one
     * linear map.
     */
    ScriptModule script(int za) {
        return ScriptModule.builder("CellNetwork")
                .module("pwdw_net", GnmLayers.inside("conv", trunk.script()))
                .module("q_pres_net", presence.script())
                .module("q_where_net", where.script())
                .module("q_depth_net", depth.script())
                .module("q_what_net", what.script())
                .setCode(
                        """
                        def forward(self, map: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                          h = torch.flatten(self.pwdw_net.conv.places(map), 0, 2)
                          heads = [self.q_pres_net.weight, self.q_where_net.weight, self.q_depth_net.weight, self.q_what_net.weight]
                          weight = torch.flatten(torch.cat(heads, 0), 1)
                          bias = torch.cat([self.q_pres_net.bias, self.q_where_net.bias, self.q_depth_net.bias, self.q_what_net.bias], 0)
                          y = torch.linear(h, weight, bias)
                          p, wm, ws, dm, ds, am, sa = torch.split_with_sizes(y, [1, 4, 4, 1, 1, %1$s, %1$s], 1)
                          means = torch.cat([wm, dm, am], 1)
                          deviations = torch.softplus(torch.cat([ws, ds, sa], 1))
                          return (torch.mul(torch.tanh(p), %2$s), means, deviations)
                        """
                                .formatted(za, LOGIT_SCALE))
                .build();
    }

    /** The latents of a map (B, E, G, G). */
    CellLatents apply(Pass pass, NDArray map) {
        NDArray h = trunk.apply(pass, map);
        NDArray logits = presence.apply(pass, h).tanh();
        return new CellLatents(
                logits.mul(Scalars.like(logits, LOGIT_SCALE)),
                Gaussian.halves(where.apply(pass, h), 1),
                Gaussian.halves(depth.apply(pass, h), 1),
                Gaussian.halves(what.apply(pass, h), 1));
    }
}
