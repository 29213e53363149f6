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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

/**
 * A residual network without its classifier.
 *
 * <p>Source: He et al., "Deep Residual Learning for Image Recognition" (2016). Parameters have the
 * names and shapes of torchvision's state dicts ({@code conv1.weight}, {@code bn1.running_mean},
 * {@code layer1.0.conv1.weight}, {@code layer2.0.downsample.0.weight}, ...), so that its weights
 * can be imported; of those, {@code fc.*}, the stages left out and {@code num_batches_tracked} have
 * no place here.
 *
 * <pre>{@code
 * x = maxPool3x3/2(relu(bn1(conv7x7/2(images))))
 * each block:  x = relu(f(x) + x)                  f: two or three convolutions
 *              x = relu(f(x) + bn(conv1x1 x))      where the size changes
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type; with imported weights normalised as those
 *       expect.
 *   <li>features (B, N, F): N = h w with h = ceil(H / 4) after the first stage, half of that after
 *       each further one; F the channels of the last stage used. Positions (N, 2).
 * </ul>
 *
 * <p>In training, batch normalisation uses the batch's statistics and updates the running ones, in
 * inference it uses the running ones. Convolutions start as torchvision's do: normal with deviation
 * sqrt(2 / (outputs of an input)).
 */
public final class ResNetEncoder extends ConfiguredBlock implements FeatureExtractor {

    private final ResNetArchitecture architecture;
    private final int stages;
    private final boolean fixedStatistics;
    private final NormalisedConvolution stem;
    private final List<ResidualBlock> blocks = new ArrayList<>();

    private ResNetEncoder(Builder builder, ResNetArchitecture architecture) {
        this.architecture = architecture;
        stages = builder.stages();
        fixedStatistics = builder.fixedStatistics;
        int in = architecture.width();
        stem = new NormalisedConvolution("conv1", "bn1", FeatureMap.CHANNELS, in, 7, 2);
        for (int stage = 0; stage < stages; stage++) {
            for (int i = 0; i < architecture.blocks().get(stage); i++) {
                String name = "layer" + (stage + 1) + "." + i + ".";
                blocks.add(new ResidualBlock(name, in, stage, stage > 0 && i == 0 ? 2 : 1));
                in = architecture.channels(stage);
            }
        }
    }

    /** Where parameters come from in a forward pass. */
    private record Values(ParameterStore store, NDArray images, boolean training) {}

    /** A convolution without bias and the batch normalisation after it. */
    private final class NormalisedConvolution {
        private final int kernel;
        private final int stride;
        private final Parameter weight;
        private final Parameter gain;
        private final Parameter offset;
        private final Parameter mean;
        private final Parameter variance;

        NormalisedConvolution(
                String convolution, String norm, int in, int out, int kernel, int stride) {
            this.kernel = kernel;
            this.stride = stride;
            double deviation = Math.sqrt(2.0 / ((double) out * kernel * kernel));
            weight =
                    declare(
                            convolution + ".weight",
                            Parameter.Type.WEIGHT,
                            StartingValues.normal(deviation),
                            out,
                            in,
                            kernel,
                            kernel);
            gain = declare(norm + ".weight", Parameter.Type.GAMMA, Initializer.ONES, out);
            offset = declare(norm + ".bias", Parameter.Type.BETA, Initializer.ZEROS, out);
            mean =
                    declare(
                            norm + ".running_mean",
                            Parameter.Type.RUNNING_MEAN,
                            Initializer.ZEROS,
                            false,
                            out);
            variance =
                    declare(
                            norm + ".running_var",
                            Parameter.Type.RUNNING_VAR,
                            Initializer.ONES,
                            false,
                            out);
        }

        NDArray apply(Values values, NDArray x) {
            try (NDArray y = Ops.conv2d(x, get(values, weight), null, stride, kernel / 2)) {
                boolean ofBatch = values.training && !fixedStatistics;
                return Ops.batchNorm(
                        y,
                        get(values, gain),
                        get(values, offset),
                        get(values, mean),
                        get(values, variance),
                        ofBatch);
            }
        }

        private NDArray get(Values values, Parameter parameter) {
            return value(values.store, parameter, values.images, values.training);
        }
    }

    /** relu(f(x) + x), f two or three convolutions with ReLUs between them. */
    private final class ResidualBlock {
        private final List<NormalisedConvolution> convolutions = new ArrayList<>();
        private final @Nullable NormalisedConvolution downsample;

        ResidualBlock(String name, int in, int stage, int stride) {
            int width = architecture.width(stage);
            int out = architecture.channels(stage);
            if (architecture.bottleneck()) {
                add(name, in, width, 1, 1);
                add(name, width, width, 3, stride);
                add(name, width, out, 1, 1);
            } else {
                add(name, in, width, 3, stride);
                add(name, width, out, 3, 1);
            }
            downsample =
                    stride == 1 && in == out
                            ? null
                            : new NormalisedConvolution(
                                    name + "downsample.0",
                                    name + "downsample.1",
                                    in,
                                    out,
                                    1,
                                    stride);
        }

        private void add(String name, int in, int out, int kernel, int stride) {
            int number = convolutions.size() + 1;
            convolutions.add(
                    new NormalisedConvolution(
                            name + "conv" + number, name + "bn" + number, in, out, kernel, stride));
        }

        NDArray apply(Values values, NDArray x) {
            try (Scope scope = new Scope()) {
                NDArray y = convolutions.get(0).apply(values, x);
                for (NormalisedConvolution next : convolutions.subList(1, convolutions.size())) {
                    y = next.apply(values, Activation.relu(y));
                }
                NDArray shortcut = downsample == null ? x : downsample.apply(values, x);
                return scope.keep(Activation.relu(y.add(shortcut)));
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        Shape features = getOutputShapes(new Shape[] {images.getShape()})[0];
        Check.option(
                !training || fixedStatistics || features.get(0) * features.get(1) > 1,
                who()
                        + ": the batch's statistics need more than one value of each channel: use"
                        + " larger images or batches, fewer stages or fixed statistics; got features "
                        + features);
        fetchAll(parameterStore, this, images, training);
        Values values = new Values(parameterStore, images, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray map = stem(values);
                        for (ResidualBlock block : blocks) {
                            NDArray x = map;
                            map = block.apply(values, x);
                            x.close();
                        }
                        Shape s = map.getShape(); // (B, F, h, w)
                        return FeatureMap.keep(
                                scope, FeatureMap.features(map), s.get(2), s.get(3), images);
                    }
                });
    }

    private NDArray stem(Values values) {
        try (NDArray y = stem.apply(values, values.images);
                NDArray x = Activation.relu(y)) {
            return x.getNDArrayInternal()
                    .maxPool(new Shape(3, 3), new Shape(2, 2), new Shape(1, 1), false);
        }
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return architecture.channels(stages - 1);
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
        int stride = 2 << stages;
        return FeatureMap.shapes(
                images.get(0),
                FeatureMap.strided(images.get(2), stride),
                FeatureMap.strided(images.get(3), stride),
                featureDim());
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("architecture", architecture);
        options.put("stages", stages);
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

    /** Describes a {@link ResNetEncoder}. */
    public static final class Builder {
        private @Nullable ResNetArchitecture architecture;
        private @Nullable Integer stages;
        private boolean fixedStatistics;

        private Builder() {}

        /**
         * Sets the make of the network.
         *
         * @param architecture {@link ResNetArchitecture#resNet18()} for instance
         * @return this
         */
        public Builder setArchitecture(ResNetArchitecture architecture) {
            this.architecture = architecture;
            return this;
        }

        /**
         * Sets how many stages are used. Fewer stages leave more and smaller features: ResNet-18
         * gives features of size 64 at a quarter of the images' height and width after one stage,
         * of size 512 at a 32nd after four.
         *
         * @param stages from 1 to the architecture's; all of them if not set
         * @return this
         */
        public Builder optStages(int stages) {
            this.stages = stages;
            return this;
        }

        /**
         * Sets whether batch normalisation keeps to its running statistics in training too, as one
         * does with imported weights and small batches.
         *
         * @param fixedStatistics false if not set
         * @return this
         */
        public Builder optFixedStatistics(boolean fixedStatistics) {
            this.fixedStatistics = fixedStatistics;
            return this;
        }

        private int stages() {
            int all = architecture == null ? 0 : architecture.blocks().size();
            return stages == null ? all : stages;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if there is no architecture, or it has fewer stages
         */
        public ResNetEncoder build() {
            String who = "ResNetEncoder: ";
            if (architecture == null) {
                throw new IllegalArgumentException(who + "architecture is missing");
            }
            int all = architecture.blocks().size();
            Check.option(
                    stages() > 0 && stages() <= all,
                    who + "stages must be from 1 to " + all + ", got " + stages);
            return new ResNetEncoder(this, architecture);
        }
    }
}
