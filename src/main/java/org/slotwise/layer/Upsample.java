package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Twice the size: each place four times, then a convolution, as {@code Upsample2D} of diffusers.
 *
 * <pre>{@code
 * y = conv(each place of x four times)
 * }</pre>
 *
 * <p>x is (B, C, h, w), y (B, C, 2 h, 2 w); {@code conv.weight} (C, C, 3, 3), {@code conv.bias}
 * (C).
 *
 * @param convolution that keeps the size
 */
public record Upsample(Convolution convolution) implements Layer, Scriptable {

    /**
     * A layer that starts as PyTorch's Conv2d does.
     *
     * @param parameters declares under the layer's name
     * @param channels C
     * @return the layer
     */
    public static Upsample of(Declarer parameters, long channels) {
        return new Upsample(
                Convolution.of(parameters.under("conv"), channels, channels, Window.same(3)));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("Upsample", "input", x, "B", "C", "h", "w");
        NDArray large = FusedOps.twice(x);
        return Scope.next(large, convolution.apply(pass, large));
    }

    /** Its {@code by} takes a weight that {@code packed} gave. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("Upsample")
                .module("conv", convolution.script())
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return self.conv.forward(torch.upsample_nearest2d(x, None, [2., 2.]))
                        def packed(self) -> Tensor:
                          return self.conv.packed()
                        def by(self, x: Tensor, weight: Tensor) -> Tensor:
                          y = torch.upsample_nearest2d(x, None, [2., 2.])
                          return self.conv.by(y, weight, self.conv.bias)
                        """)
                .build();
    }
}
