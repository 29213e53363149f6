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
