package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.ConvolutionStack;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Window;
import org.slotwise.position.PositionGrid;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A stack of convolutions, each followed by a ReLU (the last one, if not told otherwise): the
 * backbone of {@link SlotAttentionEncoder}.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), appendix E.3;
 * in the form of OCLF's {@code SlotAttentionFeatureExtractor}, whose parameter names it uses: layer
 * i, counted from 0, is {@code layers.2i.weight} (F, C, kernel, kernel) and {@code layers.2i.bias}
 * (F).
 *
 * <pre>{@code
 * x = relu(conv(x))                                each layer, zeros around the image
 * x = conv(x)                                      the last one, without its activation
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type.
 *   <li>features (B, N, F), N = h w, F the last layer's channels; a stride s makes ceil(size / s)
 *       of a size. Positions (N, 2).
 * </ul>
 *
 * <p>Without options these are the paper's layers for CLEVR. OCLF's {@code SAViFeatureExtractor}
 * has the same names and no ReLU after the last layer: {@link Builder#optLastActivation}. With
 * {@link Builder#optNegativeSlope} the ReLUs are leaky. Weights and biases start as PyTorch's
 * Conv2d does.
 */
public final class ConvolutionalEncoder extends ConvolutionalBlock implements Scriptable {

    private final int[] channels;
    private final int[] strides;
    private final int kernel;
    private final boolean lastActivation;
    private final LeakyRelu activation;
    private final ConvolutionStack layers;

    private ConvolutionalEncoder(Builder builder) {
        super(builder.channels[builder.channels.length - 1]);
        channels = builder.channels.clone();
        strides = builder.strides();
        kernel = builder.kernel;
        lastActivation = builder.lastActivation;
        activation = new LeakyRelu(builder.negativeSlope);
        ConvolutionStack.Builder stack =
                ConvolutionStack.of(declarer().under("layers"), FeatureMap.CHANNELS);
        for (int i = 0; i < channels.length; i++) {
            stack.convolution(channels[i], window(i));
        }
        layers = stack.optActivation(activation).optLastActivation(lastActivation).build();
    }

    private Window window(int layer) {
        return Window.same(kernel).withStride(strides[layer]);
    }

    @Override
    NDArray features(Pass pass, NDArray images) {
        return ImageGroups.map(
                        largest(images.getShape()),
                        new NDList(images),
                        some -> new NDList(FeatureMap.features(layers.apply(pass, some.head()))))
                .head();
    }

    @Override
    boolean isOneGroup(NDArray images) {
        return ImageGroups.isOne(largest(images.getShape()), images);
    }

    @Override
    long mapSize(long size) {
        long s = size;
        for (int i = 0; i < strides.length; i++) {
            s = window(i).places(s);
        }
        return s;
    }

    /** How many numbers the largest array of one image has. */
    private long largest(Shape images) {
        long height = images.get(2);
        long width = images.get(3);
        long largest = 0;
        for (int i = 0; i < channels.length; i++) {
            height = window(i).places(height);
            width = window(i).places(width);
            largest = Math.max(largest, channels[i] * height * width);
        }
        return largest;
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("channels", Arrays.toString(channels))
                .and("strides", Arrays.toString(strides))
                .and("kernelSize", kernel)
                // What was saved before the option was has one.
                .andUnless(lastActivation, "lastActivation", false)
                .andUnless(activation.slope() == 0, "negativeSlope", activation.slope());
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("ConvolutionalEncoder")
                .module("layers", layers.script())
                .module("grid", PositionGrid.script())
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          y = self.layers.forward(images)
                        """
                                + FeatureMap.SCRIPT)
                .build();
    }

    /**
     * Starts the description of an encoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link ConvolutionalEncoder}. */
    public static final class Builder {
        private int[] channels = {64, 64, 64, 64};
        private int[] strides = {};
        private int kernel = 5;
        private boolean lastActivation = true;
        private double negativeSlope;

        private Builder() {}

        /**
         * Sets how many channels each layer gives, and with it the number of layers.
         *
         * @param channels at least one layer, each at least 1; four layers of 64 if not set
         * @return this
         */
        public Builder optChannels(int... channels) {
            this.channels = channels.clone();
            return this;
        }

        /**
         * Sets the layers' strides.
         *
         * @param strides as many as there are layers, each at least 1; all 1 if not set
         * @return this
         */
        public Builder optStrides(int... strides) {
            this.strides = strides.clone();
            return this;
        }

        /**
         * Sets the height and width of the kernels.
         *
         * @param kernelSize odd, at least 1; 5 if not set
         * @return this
         */
        public Builder optKernelSize(int kernelSize) {
            this.kernel = kernelSize;
            return this;
        }

        /**
         * Sets whether a ReLU follows the last layer, as the others.
         *
         * @param lastActivation true if not set, as in the paper; false as in SAVi
         * @return this
         */
        public Builder optLastActivation(boolean lastActivation) {
            this.lastActivation = lastActivation;
            return this;
        }

        /**
         * Sets the slope of the activations below zero: leaky ReLUs.
         *
         * @param negativeSlope from 0 to 1; 0 if not set, for ReLUs; 0.01 in PyTorch's LeakyReLU
         * @return this
         */
        public Builder optNegativeSlope(double negativeSlope) {
            this.negativeSlope = negativeSlope;
            return this;
        }

        private int[] strides() {
            if (strides.length > 0) {
                return strides.clone();
            }
            int[] ones = new int[channels.length];
            Arrays.fill(ones, 1);
            return ones;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is out of range
         */
        public ConvolutionalEncoder build() {
            String who = "ConvolutionalEncoder: ";
            Check.option(
                    channels.length > 0 && Arrays.stream(channels).allMatch(c -> c > 0),
                    who + "channels must be at least 1, got " + Arrays.toString(channels));
            Check.option(
                    strides().length == channels.length
                            && Arrays.stream(strides()).allMatch(s -> s > 0),
                    who
                            + "strides must be "
                            + channels.length
                            + " numbers of at least 1, got "
                            + Arrays.toString(strides));
            Check.option(
                    kernel > 0 && kernel % 2 == 1,
                    who + "kernelSize must be odd and at least 1, got " + kernel);
            return new ConvolutionalEncoder(this);
        }
    }
}
