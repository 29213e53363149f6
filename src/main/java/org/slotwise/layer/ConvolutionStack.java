package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Convolutions, plain or transposed, with an activation between each two: PyTorch's {@code
 * nn.Sequential} of {@code Conv2d} and {@code ReLU}, whose convolutions have the numbers 0, 2, 4
 * and so on.
 *
 * <pre>{@code
 * x = activation(conv(x))                          each convolution but the last
 * y = conv(x)                                      activation(conv(x)), if asked for
 * }</pre>
 *
 * <p>x is (B, in, H, W), y (B, out, H', W'). Weights and biases start as PyTorch's do. Of each
 * convolution only its result lives on.
 *
 * <pre>{@code
 * ConvolutionStack.of(parameters.under("layers"), 3)
 *         .convolution(64, Window.same(5))
 *         .convolution(64, Window.same(5).withStride(2))
 *         .optLastActivation(true)
 *         .build()
 * }</pre>
 */
public final class ConvolutionStack implements Layer, Scriptable {

    private final Chain chain;
    private final boolean lastActivation;

    private ConvolutionStack(Builder builder) {
        chain = new Chain(List.copyOf(builder.layers), builder.activation, true);
        lastActivation = builder.lastActivation;
    }

    /**
     * Starts a stack.
     *
     * @param parameters declares under the stack's name
     * @param channels the channels that go in
     * @return a builder
     */
    public static Builder of(Declarer parameters, long channels) {
        return new Builder(parameters, channels);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return ended(pass, chain.apply(pass, x));
    }

    /**
     * The first of the convolutions.
     *
     * @return the layer
     */
    public Layer first() {
        return chain.layers().get(0);
    }

    /**
     * Computes the stack for an input that is the first convolution's value already, before its
     * activation: for those who know a shorter way to it.
     *
     * @param pass the call of the block
     * @param z what {@link #first} would give, closed by this method: of no use afterwards
     * @return (B, out, H', W')
     */
    public NDArray applyToHidden(Pass pass, NDArray z) {
        return ended(pass, chain.after(pass, z, 1));
    }

    private NDArray ended(Pass pass, NDArray y) {
        return lastActivation ? chain.activate(pass, y) : y;
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return chain.script("ConvolutionStack", lastActivation);
    }

    /** Describes a {@link ConvolutionStack}: its convolutions in their order, and how they end. */
    public static final class Builder {
        private final Declarer parameters;
        private final List<Layer> layers = new ArrayList<>();
        private long channels;
        private boolean bias = true;
        private boolean lastActivation;
        private UnaryOperator<NDArray> activation = LeakyRelu.NONE;

        private Builder(Declarer parameters, long channels) {
            this.parameters = parameters;
            this.channels = channels;
        }

        /**
         * Adds a convolution.
         *
         * @param out the channels that come out, at least 1
         * @param window what it looks at
         * @return this
         */
        public Builder convolution(int out, Window window) {
            Initializer start = StartingValues.convolution(channels, window.kernel());
            layers.add(
                    Convolution.of(next(), channels, out, window, start, bias ? start : null)
                            .channelsLast());
            channels = out;
            return this;
        }

        /**
         * Adds a transposed convolution that, with an odd kernel and {@link Window#same},
         * multiplies the size by its stride: its output padding is stride - 1.
         *
         * @param out the channels that come out, at least 1
         * @param window what the convolution looks at whose gradient this is
         * @return this
         */
        public Builder transposed(int out, Window window) {
            Initializer start = StartingValues.convolution(out, window.kernel());
            layers.add(
                    TransposedConvolution.of(
                            next(),
                            channels,
                            out,
                            window,
                            window.stride() - 1,
                            start,
                            bias ? start : null));
            channels = out;
            return this;
        }

        private Declarer next() {
            return parameters.under(Integer.toString(2 * layers.size()));
        }

        /**
         * Sets whether the convolutions that are added from here on have a bias.
         *
         * @param bias true if not set
         * @return this
         */
        public Builder optBias(boolean bias) {
            this.bias = bias;
            return this;
        }

        /**
         * Sets the activation.
         *
         * @param activation from an array to a new one of the same shape; the ReLU if not set
         * @return this
         */
        public Builder optActivation(UnaryOperator<NDArray> activation) {
            this.activation = activation;
            return this;
        }

        /**
         * Sets whether the activation follows the last convolution too.
         *
         * @param lastActivation false if not set
         * @return this
         */
        public Builder optLastActivation(boolean lastActivation) {
            this.lastActivation = lastActivation;
            return this;
        }

        /**
         * Builds the layer.
         *
         * @return the layer
         * @throws IllegalArgumentException if there is no convolution
         */
        public ConvolutionStack build() {
            Check.option(!layers.isEmpty(), "ConvolutionStack: there must be a convolution");
            return new ConvolutionStack(this);
        }
    }
}
