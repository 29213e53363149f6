package org.slotwise.decoder;

import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Limits;
import org.slotwise.layer.ConvolutionStack;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Window;

/**
 * The make of a {@link SpatialBroadcastDecoder}: the grid that slots are broadcast to, and the
 * layers that follow.
 *
 * @param height the grid's height
 * @param width the grid's width
 * @param layers from the grid to the image, with a ReLU between each two; the last one gives 4
 *     channels, for red, green, blue and alpha
 */
public record BroadcastArchitecture(int height, int width, List<Layer> layers) {

    private static final int CLEVR_SIZE = 128;
    private static final int CLEVR_CHANNELS = 64;
    private static final int CLEVR_STRIDE = 16;
    private static final int SMALL_CHANNELS = 32;
    private static final int KERNEL = 5;
    private static final int LAST_KERNEL = 3;

    /**
     * Creates the description.
     *
     * @param height at least 1
     * @param width at least 1
     * @param layers at least one, the last of 4 channels
     * @throws IllegalArgumentException if a size is below 1, or the last layer has other channels
     */
    public BroadcastArchitecture {
        layers = List.copyOf(layers);
        Check.option(
                height > 0 && width > 0,
                "BroadcastArchitecture: the grid must be at least 1 by 1, got "
                        + height
                        + " by "
                        + width);
        Check.option(
                !layers.isEmpty()
                        && layers.get(layers.size() - 1).channels() == AlphaComposition.CHANNELS,
                "BroadcastArchitecture: the last of the layers must have 4 channels, got "
                        + layers);
        long h = height;
        long w = width;
        for (Layer layer : layers) {
            h *= layer.stride();
            w *= layer.stride();
            Limits.numbers("BroadcastArchitecture", "a layer's output", layer.channels(), h, w);
        }
    }

    /**
     * A convolution, plain or transposed, with as much padding as keeps the size or, with a stride,
     * multiplies it by the stride.
     *
     * <p>As aligned, a transposed convolution whose kernel is below twice the stride less 1 leaves
     * the last rows and columns without any input: they are the bias alone.
     *
     * @param transposed whether it is transposed, as PyTorch's ConvTranspose2d
     * @param channels how many channels it gives
     * @param kernel height and width of the kernel
     * @param stride what a transposed convolution multiplies the size by; 1 for a plain one
     */
    public record Layer(boolean transposed, int channels, int kernel, int stride) {

        /**
         * Creates the description.
         *
         * @param transposed whether it is transposed
         * @param channels at least 1
         * @param kernel odd, at least 1
         * @param stride at least 1; 1 if it is not transposed
         * @throws IllegalArgumentException if a number is out of range
         */
        public Layer {
            String who = "BroadcastArchitecture.Layer";
            Check.atLeast(who, "channels", channels, 1);
            Limits.count(who, "kernel", kernel, kernel, Limits.WINDOW);
            Limits.count(who, "stride", stride, stride, Limits.WINDOW);
            Check.option(
                    kernel > 0 && kernel % 2 == 1,
                    who + ": kernel must be odd and at least 1, got " + kernel);
            Check.option(
                    stride == 1 || (transposed && stride > 0),
                    who
                            + ": stride must be at least 1, and 1 in a plain convolution, got "
                            + stride);
        }

        /**
         * A convolution of stride 1.
         *
         * @param channels how many channels it gives
         * @param kernel height and width of the kernel, odd
         * @return the layer
         */
        public static Layer convolution(int channels, int kernel) {
            return new Layer(false, channels, kernel, 1);
        }

        /**
         * A transposed convolution.
         *
         * @param channels how many channels it gives
         * @param kernel height and width of the kernel, odd
         * @param stride what the size is multiplied by
         * @return the layer
         */
        public static Layer transposed(int channels, int kernel, int stride) {
            return new Layer(true, channels, kernel, stride);
        }

        Window window() {
            return Window.same(kernel).withStride(stride);
        }
    }

    /**
     * The paper's decoder for CLEVR, images of 128 by 128.
     *
     * @return the architecture
     */
    public static BroadcastArchitecture clevr() {
        return clevr(CLEVR_SIZE);
    }

    /**
     * The paper's decoder for CLEVR, for images of another size: a grid of a 16th of it, four
     * transposed convolutions of 64 channels and stride 2, one of stride 1, and a last one of
     * kernel 3.
     *
     * @param size height and width of the images, a multiple of 16
     * @return the architecture
     * @throws IllegalArgumentException if the size is not a multiple of 16
     */
    public static BroadcastArchitecture clevr(int size) {
        Check.option(
                size > 0 && size % CLEVR_STRIDE == 0,
                "BroadcastArchitecture: size must be a multiple of 16, got " + size);
        Layer twice = Layer.transposed(CLEVR_CHANNELS, KERNEL, 2);
        return new BroadcastArchitecture(
                size / CLEVR_STRIDE,
                size / CLEVR_STRIDE,
                List.of(
                        twice,
                        twice,
                        twice,
                        twice,
                        Layer.transposed(CLEVR_CHANNELS, KERNEL, 1),
                        Layer.transposed(AlphaComposition.CHANNELS, LAST_KERNEL, 1)));
    }

    /**
     * The paper's decoder for Tetrominoes: a grid of the images' own size, three convolutions of 32
     * channels, and a last one of kernel 3.
     *
     * @param size height and width of the images, 35 in the paper
     * @return the architecture
     * @throws IllegalArgumentException if the size is below 1
     */
    public static BroadcastArchitecture tetrominoes(int size) {
        Layer same = Layer.convolution(SMALL_CHANNELS, KERNEL);
        return new BroadcastArchitecture(
                size,
                size,
                List.of(
                        same,
                        same,
                        same,
                        Layer.convolution(AlphaComposition.CHANNELS, LAST_KERNEL)));
    }

    /**
     * The paper's decoder for Multi-dSprites, the same as for {@linkplain #tetrominoes
     * Tetrominoes}.
     *
     * @param size height and width of the images, 64 in the paper
     * @return the architecture
     * @throws IllegalArgumentException if the size is below 1
     */
    public static BroadcastArchitecture multiDSprites(int size) {
        return tetrominoes(size);
    }

    /** The layers, for slots of a size. */
    ConvolutionStack stack(Declarer parameters, int slotDim, LeakyRelu activation) {
        ConvolutionStack.Builder stack =
                ConvolutionStack.of(parameters, slotDim).optActivation(activation);
        for (Layer layer : layers) {
            if (layer.transposed()) {
                stack.transposed(layer.channels(), layer.window());
            } else {
                stack.convolution(layer.channels(), layer.window());
            }
        }
        return stack.build();
    }

    /** How many numbers the largest array of one slot has. */
    long largest() {
        long area = (long) height * width;
        long largest = 0;
        for (Layer layer : layers) {
            area *= (long) layer.stride() * layer.stride();
            largest = Math.max(largest, area * layer.channels());
        }
        return largest;
    }

    /** What the layers multiply the grid's size by. */
    int stride() {
        return layers.stream().mapToInt(Layer::stride).reduce(1, Math::multiplyExact);
    }
}
