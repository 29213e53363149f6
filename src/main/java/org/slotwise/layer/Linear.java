package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A linear map of the last axis, as PyTorch's {@code nn.Linear}.
 *
 * <pre>{@code
 * y = W x + b
 * }</pre>
 *
 * <p>x is (..., in), y (..., out); {@code weight} (out, in), {@code bias} (out).
 */
public final class Linear implements Layer, Scriptable {

    private final long in;
    private final Parameter weight;
    private final @Nullable Parameter bias;

    private Linear(long in, Parameter weight, @Nullable Parameter bias) {
        this.in = in;
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * A map that starts as PyTorch's does: weight and bias uniform in ±1/√in.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param out the size of an output
     * @return the layer
     */
    public static Linear of(Declarer parameters, long in, long out) {
        return of(parameters, in, out, true);
    }

    /**
     * A map that starts as PyTorch's does, with or without bias.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param out the size of an output
     * @param bias whether it has one
     * @return the layer
     */
    public static Linear of(Declarer parameters, long in, long out, boolean bias) {
        Initializer start = StartingValues.linear(in);
        return of(parameters, in, out, start, bias ? start : null);
    }

    /**
     * A map with other starting values.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param out the size of an output
     * @param weight how the weight starts
     * @param bias how the bias starts; null for none
     * @return the layer
     */
    public static Linear of(
            Declarer parameters,
            long in,
            long out,
            Initializer weight,
            @Nullable Initializer bias) {
        return new Linear(
                in,
                parameters.weight("weight", weight, out, in),
                bias == null ? null : parameters.bias("bias", bias, out));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.last("Linear", "input", x, in);
        return Ops.linear(x, weight(pass), bias(pass));
    }

    /**
     * The weight's value.
     *
     * @param pass the call of the block
     * @return (out, in)
     */
    public NDArray weight(Pass pass) {
        return pass.value(weight);
    }

    /**
     * The bias's value.
     *
     * @param pass the call of the block
     * @return (out), or null
     */
    public @Nullable NDArray bias(Pass pass) {
        return pass.valueOrNull(bias);
    }

    /**
     * Whether there is a bias.
     *
     * @return false if it was left out
     */
    public boolean isBiased() {
        return bias != null;
    }

    /** Its {@code plus} adds y to what {@code forward} makes of x. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("Linear")
                .parameter("weight", weight)
                .parameter("bias", bias)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.linear(x, self.weight%s)
                        def plus(self, x: Tensor, y: Tensor) -> Tensor:
                          return torch.add(self.forward(x), y)
                        """
                                .formatted(bias == null ? "" : ", self.bias"))
                .optInference(
                        """
                        def activated(self, x: Tensor) -> Tensor:
                          return torch.relu_(self.forward(x))
                        """)
                .build();
    }
}
