package org.slotwise.encoder;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

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
public final class PretrainedBackbone extends ConfiguredBlock
        implements FeatureExtractor, AutoCloseable {

    private static final String WHO = "PretrainedBackbone";

    private final BackboneNetwork network;
    private final String sha256;
    private final int height;
    private final int width;
    private final double[] mean;
    private final double[] std;
    private final boolean trainable;
    private final String output;
    private final TokenLayout layout;

    /** The shapes of the outputs for one image less its batch axis: main first. */
    private final Map<String, Shape> shapes;

    private PretrainedBackbone(
            Builder builder, BackboneNetwork network, String sha256, Map<String, Shape> found)
            throws MalformedModelException {
        this.network = network;
        this.sha256 = sha256;
        height = builder.height;
        width = builder.width;
        mean = builder.mean.clone();
        std = builder.std.clone();
        trainable = builder.trainable;
        output = BackboneNetwork.main(WHO, builder.output, found);
        Shape main = found.getOrDefault(output, new Shape());
        if (!TokenLayout.fits(main) || main.get(0) != BackboneNetwork.PROBE) {
            throw new MalformedModelException(
                    WHO
                            + ": output "
                            + output
                            + " must be tokens (B, N, F) or maps (B, F, h, w), for 2 images got "
                            + main);
        }
        TokenLayout found2 = TokenLayout.of(main, height, width, builder.prefixTokens);
        if (found2 == null) {
            throw new MalformedModelException(
                    WHO
                            + ": "
                            + main.get(1)
                            + " tokens"
                            + (builder.prefixTokens == null
                                    ? ""
                                    : " of which " + builder.prefixTokens + " come before patches")
                            + " are no grid of square patches of an image of "
                            + height
                            + " by "
                            + width);
        }
        layout = found2;
        shapes = new LinkedHashMap<>();
        shapes.put(output, layout.features(main));
        found.forEach((name, shape) -> shapes.putIfAbsent(name, layout.features(shape)));
        if (trainable) {
            network.trainable(WHO).forEach(this::addParameter);
        }
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        Check.shape(WHO, FeatureMap.IMAGES, images, "B", FeatureMap.CHANNELS, height, width);
        Check.type(WHO, FeatureMap.IMAGES, images, network.type(), " as the network");
        if (!images.getDevice().equals(network.device())) {
            throw new IllegalArgumentException(
                    WHO
                            + ": images must be on "
                            + network.device()
                            + " as the network, got "
                            + images.getDevice());
        }
        fetchAll(parameterStore, this, images, training);
        boolean recording = training && trainable;
        return NoGraph.unless(
                recording,
                () -> {
                    try (Scope scope = new Scope()) {
                        return keep(scope, run(parameterStore, images, recording), images);
                    }
                });
    }

    private Map<String, NDArray> run(ParameterStore store, NDArray images, boolean recording) {
        NDArray x = images.sub(channels(images, mean)).div(channels(images, std));
        Map<String, NDArray> features = new LinkedHashMap<>();
        network.run(store, x, recording)
                .forEach((name, array) -> features.put(name, layout.features(array)));
        return features;
    }

    private static NDArray channels(NDArray images, double[] values) {
        return Scalars.of(
                images.getManager(),
                images.getDevice(),
                values,
                new Shape(1, FeatureMap.CHANNELS, 1, 1),
                images.getDataType());
    }

    /** In memory of their own: neither views, nor of the engine's inference mode. */
    private FeatureExtractorOutput keep(Scope scope, Map<String, NDArray> all, NDArray images) {
        Map<String, NDArray> aux = new LinkedHashMap<>();
        for (String name : shapes.keySet()) {
            NDArray array = all.get(name);
            if (array == null) {
                throw new IllegalStateException(WHO + ": the network gave no output " + name);
            }
            NDArray own =
                    NoGraph.isRecording() && array.getDataType().isFloating()
                            ? array.add(Scalars.like(array, 0))
                            : Scalars.ownMemory(array);
            aux.put(name, scope.keep(own, images.getManager()));
        }
        NDArray features = Objects.requireNonNull(aux.remove(output));
        FeatureExtractorOutput placed =
                FeatureMap.keep(scope, features, layout.height(), layout.width(), images);
        return new FeatureExtractorOutput(placed.features(), placed.positions(), aux);
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return Math.toIntExact(shapes.values().iterator().next().get(2));
    }

    /**
     * How many features lie in a column of the grid.
     *
     * @return h
     */
    public int gridHeight() {
        return Math.toIntExact(layout.height());
    }

    /**
     * How many features lie in a row of the grid.
     *
     * @return w
     */
    public int gridWidth() {
        return Math.toIntExact(layout.width());
    }

    /**
     * How many tokens of the network belong to no place, and were left out.
     *
     * @return class and register tokens
     */
    public int prefixTokens() {
        return Math.toIntExact(layout.prefix());
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
        Check.shape(
                WHO, FeatureMap.IMAGES, inputShapes[0], "B", FeatureMap.CHANNELS, height, width);
        Shape[] result = new Shape[shapes.size() + 1];
        int i = 0;
        for (Shape shape : shapes.values()) {
            long[] sizes = shape.getShape().clone();
            if (sizes.length > 0 && sizes[0] == BackboneNetwork.PROBE) {
                sizes[0] = inputShapes[0].get(0);
            }
            result[i] = new Shape(sizes);
            i += i == 0 ? 2 : 1; // the positions come second
        }
        result[1] = new Shape(layout.count(), 2);
        return result;
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... inputShapes) {
        if (dataType != network.type()) {
            throw new IllegalArgumentException(
                    WHO
                            + ": parameters must be "
                            + Check.name(network.type())
                            + " as the network's file, got "
                            + Check.name(dataType));
        }
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
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("sha256", sha256);
        options.put("height", height);
        options.put("width", width);
        options.put("mean", Arrays.toString(mean));
        options.put("std", Arrays.toString(std));
        options.put("output", output);
        options.put("prefixTokens", layout.prefix());
        options.put("trainable", trainable);
        return options;
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
        private double[] mean = {0.485, 0.456, 0.406};
        private double[] std = {0.229, 0.224, 0.225};
        private @Nullable String output;
        private @Nullable Integer prefixTokens;
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
            this.mean = mean.clone();
            this.std = std.clone();
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
         * @param device the engine's default device if not set; for ONNX the features come back to
         *     it
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
            normalisation("mean", mean, false);
            normalisation("std", std, true);
            Check.option(
                    prefixTokens == null || prefixTokens >= 0,
                    WHO + ": prefixTokens must be at least 0, got " + prefixTokens);
            if (file == null) {
                throw new IllegalArgumentException(WHO + ": file is missing");
            }
            BackboneFile source = new BackboneFile(WHO, file);
            Check.option(
                    !trainable || source.isTorchScript(),
                    WHO + ": only TorchScript can be trained, got " + file);
            Device where = device == null ? Engine.getEngine("PyTorch").defaultDevice() : device;
            String sha256 = source.sha256();
            Model model = source.load(where, trainable);
            BackboneNetwork network = new BackboneNetwork(model, where, source.isTorchScript());
            try {
                Map<String, Shape> found = network.probe(WHO, height, width);
                return new PretrainedBackbone(this, network, sha256, found);
            } catch (MalformedModelException | RuntimeException e) {
                network.close();
                throw e;
            }
        }

        private static void normalisation(String what, double[] values, boolean aboveZero) {
            boolean fits = values.length == FeatureMap.CHANNELS;
            for (double value : values) {
                fits &= Double.isFinite(value) && (!aboveZero || value > 0);
            }
            Check.option(
                    fits,
                    WHO
                            + ": "
                            + what
                            + " must be 3 numbers"
                            + (aboveZero ? " above 0" : "")
                            + ", got "
                            + Arrays.toString(values));
        }
    }
}
