package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.ImageGroups;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

/**
 * A stack of convolutions, each followed by a ReLU, the last one if not told otherwise: the
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
 * has the same names and no ReLU after the last layer: {@link Builder#optLastActivation}. Weights
 * and biases start as PyTorch's Conv2d does.
 */
public final class ConvolutionalEncoder extends ConfiguredBlock implements FeatureExtractor {

    private final int[] channels;
    private final int[] strides;
    private final int kernel;
    private final boolean lastActivation;
    private final List<Parameter> weights = new ArrayList<>();
    private final List<Parameter> biases = new ArrayList<>();

    private ConvolutionalEncoder(Builder builder) {
        channels = builder.channels.clone();
        strides = builder.strides();
        kernel = builder.kernel;
        lastActivation = builder.lastActivation;
        int in = FeatureMap.CHANNELS;
        for (int i = 0; i < channels.length; i++) {
            String name = "layers." + 2 * i;
            Initializer start = StartingValues.convolution(in, kernel);
            int out = channels[i];
            weights.add(
                    declare(
                            name + ".weight",
                            Parameter.Type.WEIGHT,
                            start,
                            out,
                            in,
                            kernel,
                            kernel));
            biases.add(declare(name + ".bias", Parameter.Type.BIAS, start, out));
            in = out;
        }
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        fetchAll(parameterStore, this, images, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDList features =
                                ImageGroups.map(
                                        largest(images.getShape()),
                                        new NDList(images),
                                        some -> convolve(parameterStore, some.head(), training));
                        return FeatureMap.keep(
                                scope,
                                features.head(),
                                crossed(images.getShape().get(2)),
                                crossed(images.getShape().get(3)),
                                images);
                    }
                });
    }

    /** The size of the map, for a size of the images. */
    private long crossed(long size) {
        long s = size;
        for (int stride : strides) {
            s = FeatureMap.strided(s, stride);
        }
        return s;
    }

    /** How many numbers the largest array of one image has. */
    private long largest(Shape images) {
        long height = images.get(2);
        long width = images.get(3);
        long largest = 0;
        for (int i = 0; i < channels.length; i++) {
            height = FeatureMap.strided(height, strides[i]);
            width = FeatureMap.strided(width, strides[i]);
            largest = Math.max(largest, channels[i] * height * width);
        }
        return largest;
    }

    /** Maps images to features. Of each layer only its result lives on. */
    private NDList convolve(ParameterStore store, NDArray images, boolean training) {
        NDArray x = images;
        for (int i = 0; i < channels.length; i++) {
            NDArray w = value(store, weights.get(i), images, training);
            NDArray b = value(store, biases.get(i), images, training);
            NDArray next;
            NDArray y = Ops.conv2d(x, w, b, strides[i], kernel / 2);
            if (i < channels.length - 1 || lastActivation) {
                try (y) {
                    next = Activation.relu(y);
                }
            } else {
                next = y;
            }
            if (x != images) {
                x.close();
            }
            x = next;
        }
        return new NDList(FeatureMap.features(x));
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return channels[channels.length - 1];
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return FeatureMap.IMAGES;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        return extract(parameterStore, inputs.singletonOrThrow(), training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape images = FeatureMap.checkImages(who(), inputShapes[0]);
        return FeatureMap.shapes(
                images.get(0), crossed(images.get(2)), crossed(images.get(3)), featureDim());
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("channels", Arrays.toString(channels));
        options.put("strides", Arrays.toString(strides));
        options.put("kernelSize", kernel);
        if (!lastActivation) {
            options.put("lastActivation", false); // what was saved before the option was has none
        }
        return options;
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
