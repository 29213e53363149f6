package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
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
 * A convolution over height and width, as PyTorch's {@code nn.Conv2d}.
 *
 * <pre>{@code
 * y[o, p] = sum over c, d of  W[o, c, d] x[c, stride p + d - padding]  +  b[o]
 * }</pre>
 *
 * <p>x is (B, in, H, W), y (B, out, H', W') with sizes of {@link Window#places}; {@code weight}
 * (out, in, kernel, kernel), {@code bias} (out).
 */
public final class Convolution implements Layer, Scriptable {

    /** The lines of a script that lay x as {@link Convolutions} does, where it does. */
    static final String CHANNELS_LAST =
            """
              float32 = torch.eq(ops.prim.dtype(x), 6)
              if torch.__and__(float32, torch.__not__(ops.prim.is_cuda(x))):
                x = torch.contiguous(x, memory_format=2)
            """;

    private final long in;
    private final Window window;
    private final Parameter weight;
    private final @Nullable Parameter bias;
    private final boolean channelsLast;

    private Convolution(
            long in,
            Window window,
            Parameter weight,
            @Nullable Parameter bias,
            boolean channelsLast) {
        this.channelsLast = channelsLast;
        this.in = in;
        this.window = window;
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * A convolution that starts as PyTorch's does: weight and bias uniform in ±1/√(in kernel²).
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @param window what it looks at
     * @return the layer
     */
    public static Convolution of(Declarer parameters, long in, long out, Window window) {
        Initializer start = StartingValues.convolution(in, window.kernel());
        return of(parameters, in, out, window, start, start);
    }

    /**
     * A convolution with other starting values.
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @param window what it looks at
     * @param weight how the weight starts
     * @param bias how the bias starts; null for none
     * @return the layer
     */
    public static Convolution of(
            Declarer parameters,
            long in,
            long out,
            Window window,
            Initializer weight,
            @Nullable Initializer bias) {
        int kernel = window.kernel();
        return new Convolution(
                in,
                window,
                parameters.weight("weight", weight, out, in, kernel, kernel),
                bias == null ? null : parameters.bias("bias", bias, out),
                false);
    }

    /**
     * The same convolution, which on a CPU lays the channels of a place side by side in memory: in
     * networks with nothing but activations between convolutions this is faster.
     *
     * @return a layer with the same parameters
     */
    public Convolution channelsLast() {
        return new Convolution(in, window, weight, bias, true);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("Convolution", "input", x, "B", in, "H", "W");
        Shape shape = x.getShape();
        Check.option(
                window.places(shape.get(2)) > 0 && window.places(shape.get(3)) > 0,
                "Convolution: input must be at least as large as " + window + ", got " + shape);
        NDArray w = weight(pass);
        NDArray b = pass.valueOrNull(bias);
        return channelsLast
                ? Convolutions.conv2dChannelsLast(x, w, b, window.stride(), window.padding())
                : Convolutions.conv2d(x, w, b, window.stride(), window.padding());
    }

    /**
     * The weight's value.
     *
     * @param pass the call of the block
     * @return (out, in, kernel, kernel)
     */
    public NDArray weight(Pass pass) {
        return pass.value(weight);
    }

    /**
     * Its {@code packed} is the weight as a process may keep it for many calls of {@code by}, which
     * is {@code forward} with that weight and a bias of one's own. {@inheritDoc}
     */
    @Override
    public ScriptModule script() {
        return script(
                """
                def packed(self) -> Tensor:
                  return self.weight
                def by(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
                  return torch.conv2d(x, weight, bias, [%1$s, %1$s], [%2$s, %2$s])
                """
                        .formatted(window.stride(), window.padding()));
    }

    /**
     * The equations, and a method {@code rows} in which each place stands alone, as a row (n, in)
     * to (n, out), with nothing but zeros around it: all there is to a kernel of 1, and to maps of
     * one place, of which a kernel sees with its middle alone.
     *
     * @return a module
     * @throws IllegalArgumentException if the middle is not where the place is
     */
    ScriptModule scriptOfRows() {
        int k = window.kernel();
        Check.option(
                k == 2 * window.padding() + 1,
                "Convolution: the kernel must be 2 x padding + 1, got " + window);
        return script(
                """
                def rows(self, x: Tensor) -> Tensor:
                  return torch.linear(x, torch.select(torch.flatten(self.weight, 2), 2, %s), %s)
                """
                        .formatted(k * k / 2, scriptOfBias()));
    }

    /** Whether a place is computed of that place alone. */
    boolean isPointwise() {
        return window.kernel() == 1 && window.stride() == 1 && window.padding() == 0;
    }

    private ScriptModule script(String more) {
        int s = window.stride();
        int p = window.padding();
        return ScriptModule.builder("Conv2d")
                .parameter("weight", weight)
                .parameter("bias", bias)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                        %s  return torch.conv2d(x, self.weight, %s, [%s, %s], [%s, %s])
                        """
                                        .formatted(
                                                channelsLast ? CHANNELS_LAST : "",
                                                scriptOfBias(),
                                                s,
                                                s,
                                                p,
                                                p)
                                + more)
                .optInference(
                        """
                        def activated(self, x: Tensor) -> Tensor:
                          return torch.relu_(self.forward(x))
                        """)
                .build();
    }

    private String scriptOfBias() {
        return bias == null ? "None" : "self.bias";
    }
}
