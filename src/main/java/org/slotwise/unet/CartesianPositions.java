package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Layer;
import org.slotwise.layer.StartingValues;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Tells tokens where they lie, by a learnt linear function of their coordinates.
 *
 * <p>Source: the code of Jiang et al., "Object-Centric Slot Diffusion" (2023), whose names it uses:
 * the coordinates are in the state dict as {@code pe} (1, 4, r, r).
 *
 * <pre>{@code
 * p = [row, column, 1 - row, 1 - column]           row = (i + 1/2) / r, column likewise
 * y = x + W p + b
 * }</pre>
 *
 * <p>x and y are (B, r r, C); {@code projection.weight} (C, 4, 1, 1), {@code projection.bias} (C).
 */
final class CartesianPositions implements Layer, Scriptable {

    private final int side;
    private final int channels;
    private final Parameter places;
    private final Parameter weight;
    private final Parameter bias;

    /** Declares positions of r x r places. */
    CartesianPositions(Declarer parameters, int side, int channels) {
        this.side = side;
        this.channels = channels;
        Initializer start = StartingValues.linear(4);
        places = parameters.other("pe", coordinates(side), false, 1, 4, side, side);
        Declarer projection = parameters.under("projection");
        weight = projection.weight("weight", start, channels, 4, 1, 1);
        bias = projection.bias("bias", start, channels);
    }

    static Initializer coordinates(int side) {
        return (manager, shape, type) -> {
            int places = side * side;
            double[] p = new double[4 * places];
            for (int i = 0; i < places; i++) {
                int row = i / side;
                p[i] = (row + 0.5) / side;
                p[places + i] = (i % side + 0.5) / side;
                p[2 * places + i] = 1 - p[i];
                p[3 * places + i] = 1 - p[places + i];
            }
            return Scalars.of(manager, manager.getDevice(), p, shape, type);
        };
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("CartesianPositions", "tokens", x, "B", (long) side * side, channels);
        try (Scope scope = new Scope()) {
            NDArray p = pass.value(places).reshape(4, (long) side * side).swapAxes(0, 1);
            NDArray w = pass.value(weight).reshape(channels, 4);
            return scope.keep(x.add(Ops.linear(p, w, pass.value(bias)))); // (r r, C) to each
        }
    }

    @Override
    public ScriptModule script() {
        ScriptModule projection =
                ScriptModule.builder("Conv2d")
                        .parameter("weight", weight)
                        .parameter("bias", bias)
                        .setCode(
                                """
                                def forward(self, p: Tensor) -> Tensor:
                                  return torch.linear(p, torch.flatten(self.weight, 1), self.bias)
                                """)
                        .build();
        return ScriptModule.builder("CartesianPositions")
                .parameter("pe", places)
                .module("projection", projection)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          p = torch.transpose(torch.flatten(torch.select(self.pe, 0, 0), 1), 0, 1)
                          y = torch.view(x, [-1, %s, torch.size(x, 1)])
                          return torch.flatten(torch.add(y, self.projection.forward(p)), 0, 1)
                        """
                                .formatted(side * side))
                .build();
    }
}
