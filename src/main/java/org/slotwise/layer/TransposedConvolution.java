package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Convolutions;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A transposed convolution over height and width, as PyTorch's {@code nn.ConvTranspose2d}: the
 * gradient of a {@link Convolution} with the same window, which makes images larger.
 *
 * <pre>{@code
 * y[o, stride p + d - padding] = sum over c, p, d of  W[c, o, d] x[c, p]  +  b[o]
 * }</pre>
 *
 * <p>x is (B, in, H, W), y (B, out, H', W') with {@code H' = stride (H - 1) - 2 padding + kernel +
 * output padding}; {@code weight} (in, out, kernel, kernel), {@code bias} (out).
 */
public final class TransposedConvolution implements Layer, Scriptable {

    private final long in;
    private final Window window;
    private final int outputPadding;
    private final Parameter weight;
    private final @Nullable Parameter bias;

    private TransposedConvolution(
            long in, Window window, int outputPadding, Parameter weight, @Nullable Parameter bias) {
        this.in = in;
        this.window = window;
        this.outputPadding = outputPadding;
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * A transposed convolution that starts as PyTorch's does: weight and bias uniform in ±1/√(out
     * kernel²).
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @param window what the convolution looks at whose gradient this is
     * @param outputPadding how many places more there are at the end of each axis, at least 0 and
     *     below the stride; an odd kernel with {@link Window#same} and stride - 1 multiply the size
     *     by the stride
     * @return the layer
     * @throws IllegalArgumentException if the output padding is out of its range
     */
    public static TransposedConvolution of(
            Declarer parameters, long in, long out, Window window, int outputPadding) {
        Initializer start = StartingValues.convolution(out, window.kernel());
        return of(parameters, in, out, window, outputPadding, start, start);
    }

    /**
     * A transposed convolution with other starting values.
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @param window what the convolution looks at whose gradient this is
     * @param outputPadding at least 0 and below the stride
     * @param weight how the weight starts
     * @param bias how the bias starts; null for none
     * @return the layer
     * @throws IllegalArgumentException if the output padding is out of its range
     */
    public static TransposedConvolution of(
            Declarer parameters,
            long in,
            long out,
            Window window,
            int outputPadding,
            Initializer weight,
            @Nullable Initializer bias) {
        Check.option(
                outputPadding >= 0 && outputPadding < window.stride(),
                "TransposedConvolution: outputPadding must be at least 0 and below the stride, got "
                        + outputPadding
                        + " and "
                        + window.stride());
        int kernel = window.kernel();
        return new TransposedConvolution(
                in,
                window,
                outputPadding,
                parameters.weight("weight", weight, in, out, kernel, kernel),
                bias == null ? null : parameters.bias("bias", bias, out));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("TransposedConvolution", "input", x, "B", in, "H", "W");
        return Convolutions.convTranspose2d(
                x,
                pass.value(weight),
                pass.valueOrNull(bias),
                window.stride(),
                window.padding(),
                outputPadding);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        int s = window.stride();
        int p = window.padding();
        int o = outputPadding;
        String own = bias == null ? "None" : "self.bias";
        return ScriptModule.builder("ConvTranspose2d")
                .parameter("weight", weight)
                .parameter("bias", bias)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                        %s  return torch.conv_transpose2d(x, self.weight, %s, [%s, %s], [%s, %s], [%s, %s])
                        """
                                .formatted(Convolution.CHANNELS_LAST, own, s, s, p, p, o, o))
                .build();
    }
}
