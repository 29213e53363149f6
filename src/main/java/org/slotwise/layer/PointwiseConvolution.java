package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * PyTorch's {@code nn.Conv2d} with a kernel of 1, on tokens in place of a map: the same as a {@link
 * Linear}, but for the weight's shape.
 *
 * <pre>{@code
 * y = W x + b
 * }</pre>
 *
 * <p>x is (..., in), y (..., out); {@code weight} (out, in, 1, 1), {@code bias} (out).
 */
public final class PointwiseConvolution implements Layer, Scriptable {

    private final long in;
    private final long out;
    private final Parameter weight;
    private final Parameter bias;

    private PointwiseConvolution(long in, long out, Parameter weight, Parameter bias) {
        this.in = in;
        this.out = out;
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * A convolution that starts as PyTorch's does: weight and bias uniform in ±1/√in.
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @return the layer
     */
    public static PointwiseConvolution of(Declarer parameters, long in, long out) {
        Initializer start = StartingValues.linear(in);
        return of(parameters, in, out, start, start);
    }

    /**
     * A convolution with other starting values.
     *
     * @param parameters declares under the layer's name
     * @param in the channels that go in
     * @param out the channels that come out
     * @param weight how the weight starts
     * @param bias how the bias starts
     * @return the layer
     */
    public static PointwiseConvolution of(
            Declarer parameters, long in, long out, Initializer weight, Initializer bias) {
        return new PointwiseConvolution(
                in,
                out,
                parameters.weight("weight", weight, out, in, 1, 1),
                parameters.bias("bias", bias, out));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.last("PointwiseConvolution", "input", x, in);
        return Ops.linear(x, pass.value(weight).reshape(out, in), pass.value(bias));
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("PointwiseConv2d")
                .parameter("weight", weight)
                .parameter("bias", bias)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.linear(x, torch.flatten(self.weight, 1), self.bias)
                        """)
                .build();
    }
}
