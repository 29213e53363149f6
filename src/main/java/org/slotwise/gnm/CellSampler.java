package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.RelaxedBernoulli;
import org.slotwise.torchscript.ScriptModule;

/** Draws what cells have, and pictures of it. */
record CellSampler(Parameter offset, NormedStack decoder) {

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        """
                        def place(self: __torch__.Script,
                          w: Tensor,
                          offset: Tensor) -> Tensor:
                          g = torch.size(w, 3)
                          size = torch.sigmoid(torch.slice(w, 1, 0, 1))
                          ratio = torch.sqrt(torch.exp(torch.slice(w, 1, 1, 2)))
                          shift = torch.tanh(torch.slice(w, 1, 2, 4))
                          c = torch.add(torch.add(offset, 0.5), shift)
                          t = torch.sub(torch.mul(c, torch.div(2., float(g))), 1)
                          return torch.cat([torch.div(size, ratio), torch.mul(size, ratio), t], 1)
                        """);
    }

    static CellSampler of(Declarer parameters, GnmConfiguration sizes) {
        int g = sizes.cells();
        Parameter offset =
                parameters.other(
                        "offset",
                        (manager, shape, type) ->
                                Scalars.of(manager, manager.getDevice(), offsets(g), shape, type),
                        false,
                        1,
                        2,
                        g,
                        g);
        return new CellSampler(
                offset,
                GnmLayers.subPixels(
                        parameters.under("z_what_decoder_net"),
                        sizes.latents().what(),
                        sizes.networks().glimpse()));
    }

    /** The column and the row of each cell. */
    private static double[] offsets(int g) {
        double[] values = new double[2 * g * g];
        for (int i = 0; i < g * g; i++) {
            values[i] = i % g;
            values[g * g + i] = Math.floorDiv(i, g);
        }
        return values;
    }

    /**
     * The equations on rows, cell by cell: {@code place} of what was drawn (B G G, 4), and {@code
     * glimpses} as here.
     */
    ScriptModule script() {
        return ScriptModule.builder("CellSampler")
                .parameter("offset", offset)
                .module("z_what_decoder_net", GnmLayers.inside("conv", decoder.script()))
                .setCode(
                        """
                        def place(self, w: Tensor) -> Tensor:
                          g = torch.size(self.offset, 3)
                          cells = torch.mul(g, g)
                          s, r, t = torch.split_with_sizes(w, [1, 1, 2], 1)
                          size = torch.sigmoid(s)
                          ratio = torch.sqrt(torch.exp(r))
                          middle = torch.add(torch.transpose(torch.flatten(self.offset, 2), 1, 2), 0.5)
                          c = torch.add(torch.view(torch.tanh(t), [-1, cells, 2]), middle)
                          u = torch.sub(torch.mul(c, torch.div(2., float(g))), 1)
                          return torch.cat([torch.div(size, ratio), torch.mul(size, ratio), torch.view(u, [-1, 2])], 1)
                        def glimpses(self, what: Tensor) -> Tensor:
                          return torch.sigmoid(self.z_what_decoder_net.conv.place(what))
                        """)
                .build();
    }

    /** Draws at a temperature. */
    Cells draw(Pass pass, CellLatents of, double temperature, GnmNoise noise) {
        NDArray z = new RelaxedBernoulli(temperature).sample(of.presence(), noise.presence());
        NDArray where = of.where().sample(noise.where());
        return placed(
                pass, z, where, of.depth().sample(noise.depth()), of.what().sample(noise.what()));
    }

    /** Nothing drawn: objects where they are more probable than not, the rest at its mean. */
    Cells mode(Pass pass, CellLatents of) {
        NDArray logits = of.presence();
        NDArray z = logits.gt(Scalars.like(logits, 0)).toType(logits.getDataType(), false);
        return placed(pass, z, of.where().mean(), of.depth().mean(), of.what().mean());
    }

    private Cells placed(Pass pass, NDArray z, NDArray w, NDArray depth, NDArray what) {
        NDArray where = Loaded.SCRIPT.call("place", w, pass.value(offset)).singletonOrThrow();
        return new Cells(z, where, w.stopGradient(), depth, what);
    }

    /**
     * Pictures with their alphas as one channel more, (n, C + 1, h, h), of rows (n, Za); (n, C, h,
     * h) where they have none.
     */
    NDArray glimpses(Pass pass, NDArray what) {
        Shape s = what.getShape();
        return Activation.sigmoid(decoder.apply(pass, what.reshape(s.get(0), s.get(1), 1, 1)));
    }
}
