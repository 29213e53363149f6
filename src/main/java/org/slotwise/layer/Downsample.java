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
 * Half the size, by a convolution of 3 x 3 with stride 2, as {@code Downsample2D} of diffusers.
 *
 * <pre>{@code
 * y = conv(x)              zeros around the map, as in a U-Net
 * y = conv(x)              zeros below and at the right alone, as in an autoencoder
 * }</pre>
 *
 * <p>x is (B, C, h, w), y (B, C, h / 2, w / 2), rounded up in a U-Net and down in an autoencoder;
 * {@code conv.weight} (C, C, 3, 3), {@code conv.bias} (C).
 *
 * @param convolution with stride 2
 * @param endAlone whether the zeros are below and at the right alone
 */
public record Downsample(Convolution convolution, boolean endAlone) implements Layer, Scriptable {

    /**
     * A layer that starts as PyTorch's Conv2d does.
     *
     * @param parameters declares under the layer's name
     * @param channels C
     * @param endAlone whether the zeros are below and at the right alone
     * @return the layer
     */
    public static Downsample of(Declarer parameters, long channels, boolean endAlone) {
        Window window = new Window(3, 2, endAlone ? 0 : 1);
        return new Downsample(
                Convolution.of(parameters.under("conv"), channels, channels, window), endAlone);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("Downsample", "input", x, "B", "C", "h", "w");
        if (!endAlone) {
            return convolution.apply(pass, x);
        }
        NDArray padded = FusedOps.padEnd(x);
        return Scope.next(padded, convolution.apply(pass, padded));
    }

    /** Its {@code by} takes a weight that {@code packed} gave. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("Downsample")
                .module("conv", convolution.script())
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return self.conv.forward(%1$s)
                        def packed(self) -> Tensor:
                          return self.conv.packed()
                        def by(self, x: Tensor, weight: Tensor) -> Tensor:
                          return self.conv.by(%1$s, weight, self.conv.bias)
                        """
                                .formatted(
                                        endAlone
                                                ? "torch.constant_pad_nd(x, [0, 1, 0, 1], 0)"
                                                : "x"))
                .build();
    }
}
