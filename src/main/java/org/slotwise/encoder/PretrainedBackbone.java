package org.slotwise.encoder;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;

/**
 * Features from a network that was trained elsewhere and exported to a file: TorchScript ({@code
 * torch.jit.save} of a scripted or traced module), or ONNX by the suffix {@code .onnx} with DJL's
 * ONNX Runtime engine on the class path.
 *
 * <p>Source: own. Seitzer et al., "Bridging the Gap to Real-World Object-Centric Learning" (2023),
 * group the features of such a network, a vision transformer.
 *
 * <pre>{@code
 * x = (images - mean) / std                        for each channel
 * outputs = network(x)
 * features = the main output, without class and register tokens, row by row
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [0, 1], of the network's type, on the network's device, of the size
 *       that was set.
 *   <li>outputs: one array, or a tuple, list or dictionary of arrays, each tokens (B, N, F), maps
 *       (B, F, h, w) or anything else. The main one is tokens or maps.
 *   <li>features (B, N, F), positions (N, 2) from the grid of patches; the other outputs as
 *       auxiliary features by name, those that are tokens or maps in the same form (B, N', F').
 * </ul>
 *
 * <p>A TorchScript file is a program, which runs: it can read and write files, as whoever runs it,
 * as in PyTorch. Take such files from those whom you trust alone. Of others take ONNX, which knows
 * operations on arrays alone, or weights as safetensors ({@code StateDict}), of which nothing is
 * run.
 *
 * <p>Outputs are known by name: those of a dictionary or of an ONNX file by their own, those of a
 * tuple or list by "0", "1" and so on.
 *
 * <p>The network is frozen unless it is built with {@code optTrainable(true)}: it then has no
 * parameters here, nothing of it is saved, and no graph is recorded. With parameters (TorchScript
 * only) they are the network's own, under its own names; train them on one device. What is saved
 * with them says by SHA-256 which file they belong to. Dropout and the like are on only in the
 * training of a trainable network.
 *
 * <p>The block holds memory outside of Java: close it, and not while it is in use.
 */
public final class PretrainedBackbone extends EncoderBlock implements AutoCloseable {

    private static final String WHO = "PretrainedBackbone";

    private final BackboneNetwork network;
    private final String sha256;
    private final int height;
    private final int width;
    private final ChannelNormalisation normalisation;
    private final boolean trainable;
    private final BackboneOutputs outputs;

    private PretrainedBackbone(
            Builder builder, BackboneNetwork network, String sha256, BackboneOutputs outputs)
            throws MalformedModelException {
        this.network = network;
        this.sha256 = sha256;
        this.outputs = outputs;
        height = builder.height;
        width = builder.width;
        normalisation = builder.normalisation;
        trainable = builder.trainable;
        if (trainable) {
            network.trainable(WHO).forEach(this::addParameter);
        }
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        Check.shape(WHO, FeatureMap.IMAGES, images, "B", FeatureMap.CHANNELS, height, width);
        network.check(WHO, images);
        fetchAll(parameterStore, this, images, training);
        NDList made =
                compute(
                        parameterStore,
                        images,
                        training && trainable,
                        pass -> {
                            NDArray x = normalisation.apply(images);
                            var given = network.run(pass.store(), x, pass.training());
                            return outputs.arrays(WHO, given, images);
                        });
        return outputs.named(made);
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return outputs.featureDim();
    }

    /**
     * How many features lie in a column of the grid.
     *
     * @return h
     */
    public int gridHeight() {
        return Math.toIntExact(outputs.layout().height());
    }

    /**
     * How many features lie in a row of the grid.
     *
     * @return w
     */
    public int gridWidth() {
        return Math.toIntExact(outputs.layout().width());
    }

    /**
     * How many tokens of the network belong to no place, and were left out.
     *
     * @return class and register tokens
     */
    public int prefixTokens() {
        return Math.toIntExact(outputs.layout().prefix());
    }

    /**
     * Everything that decides which features an image has: the file's SHA-256 and the options. Two
     * backbones with the same description give the same features.
     *
     * @return one line
     */
    public String description() {
        return WHO + configuration();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(
                WHO, FeatureMap.IMAGES, inputShapes[0], "B", FeatureMap.CHANNELS, height, width);
        return outputs.announced(inputShapes[0].get(0));
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        Check.option(
                dataType == network.type(),
                WHO
                        + ": parameters must be "
                        + Check.name(network.type())
                        + " as the network's file, got "
                        + Check.name(dataType));
        super.initialize(manager, dataType, inputShapes);
    }

    /** {@inheritDoc} */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        // Reads into new arrays, of which the network knows nothing.
        try (NDManager sub = manager.newSubManager()) {
            try {
                super.loadParameters(sub, is);
                network.take(WHO);
            } finally {
                network.restore();
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        Options image = Options.of("sha256", sha256).and("height", height).and("width", width);
        return normalisation
                .among(image)
                .and("output", outputs.main())
                .and("prefixTokens", outputs.layout().prefix())
                .and("trainable", trainable);
    }

    /** Frees the network. */
    @Override
    public void close() {
        network.close();
    }

    /**
     * Starts the description of a backbone.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link PretrainedBackbone}. */
    public static final class Builder {
        private @Nullable Path file;
        private int height;
        private int width;
        private ChannelNormalisation normalisation = ChannelNormalisation.IMAGENET;
        private @Nullable String output;
        private @Nullable Integer prefixTokens;
        private boolean vectors;
        private boolean trainable;
        private @Nullable Device device;

        private Builder() {}

        /**
         * Sets the network's file.
         *
         * @param file TorchScript, or ONNX if the name ends in .onnx
         * @return this
         */
        public Builder setFile(Path file) {
            this.file = file;
            return this;
        }

        /**
         * Sets the size of the images.
         *
         * @param height H, as the network was made for
         * @param width W
         * @return this
         */
        public Builder setImageSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets how images in [0, 1] are normalised: {@code (x - mean) / std} for each channel.
         *
         * @param mean of red, green and blue; if not set, of ImageNet: 0.485, 0.456, 0.406
         * @param std likewise; 0.229, 0.224, 0.225 if not set; each above 0
         * @return this
         */
        public Builder optNormalisation(double[] mean, double[] std) {
            this.normalisation = new ChannelNormalisation(mean, std);
            return this;
        }

        /**
         * Sets which output the features are.
         *
         * @param output its name, or its number in a tuple or list; if not set "features" where
         *     there is an output of that name, else the first of a tuple or list, or the only one
         * @return this
         */
        public Builder optOutput(String output) {
            this.output = output;
            return this;
        }

        /**
         * Sets how many tokens come before those of the patches: the class token and registers.
         *
         * @param prefixTokens at least 0; if not set as few as leave a grid of square patches that
         *     covers the image
         * @return this
         */
        public Builder optPrefixTokens(int prefixTokens) {
            this.prefixTokens = prefixTokens;
            return this;
        }

        /**
         * Sets whether the features may be a vector (B, F) for each image: what classifiers and the
         * networks of FID give. It then lies at one place, the whole image.
         *
         * @param vectors true to take vectors too; false, refused since nothing can be grouped, if
         *     not set
         * @return this
         */
        public Builder optVectors(boolean vectors) {
            this.vectors = vectors;
            return this;
        }

        /**
         * Sets whether the network's parameters are parameters of the block, to be trained.
         *
         * @param trainable true to train; false, frozen, if not set
         * @return this
         */
        public Builder optTrainable(boolean trainable) {
            this.trainable = trainable;
            return this;
        }

        /**
         * Sets where the network computes.
         *
         * @param device the default device of the file's engine if not set; TorchScript takes
         *     images there only, ONNX from any device, to which the features come back
         * @return this
         */
        public Builder optDevice(Device device) {
            this.device = device;
            return this;
        }

        /**
         * Loads the file and runs the network once, on two black images.
         *
         * @return the block, to be closed
         * @throws IllegalArgumentException if an option is missing or out of range, or there is no
         *     such file
         * @throws IllegalStateException if the engine for the file is not on the class path
         * @throws IOException if the file cannot be read
         * @throws MalformedModelException if it is not TorchScript or ONNX, or the network cannot
         *     be run on such images, or what it gives is neither tokens nor maps, or it is to be
         *     trained and has no parameters
         */
        public PretrainedBackbone build() throws IOException, MalformedModelException {
            Check.option(
                    height > 0 && width > 0,
                    WHO + ": imageSize must be at least 1, got " + height + " by " + width);
            normalisation.check(WHO);
            if (prefixTokens != null) {
                Check.atLeast(WHO, "prefixTokens", prefixTokens, 0);
            }
            if (file == null) {
                throw new IllegalArgumentException(WHO + ": file is missing");
            }
            BackboneFile source = new BackboneFile(WHO, file);
            Check.option(
                    !trainable || source.isTorchScript(),
                    WHO + ": only TorchScript can be trained, got " + file);
            Device where = device == null ? source.defaultDevice() : device;
            String sha256 = source.sha256();
            Model model = source.load(where, trainable);
            BackboneNetwork network = new BackboneNetwork(model, where, source.isTorchScript());
            try {
                Map<String, Shape> found = network.probe(WHO, height, width);
                var outputs =
                        BackboneOutputs.of(
                                WHO, found, output, prefixTokens, vectors, height, width);
                return new PretrainedBackbone(this, network, sha256, outputs);
            } catch (MalformedModelException | RuntimeException e) {
                network.close();
                throw e;
            }
        }
    }
}
