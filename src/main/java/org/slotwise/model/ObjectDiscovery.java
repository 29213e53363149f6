package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.AtomicFolder;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.model.ObjectDecoder.Decoded;
import org.slotwise.model.ObjectDecoder.Seen;
import org.slotwise.model.SlotGrouping.Found;
import org.slotwise.torchscript.DiscoveryScript;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A whole model that finds objects without having been told what an object is: it describes an
 * image by a few slots, and learns to make the image again from them.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), section 2.2,
 * in general form.
 *
 * <pre>{@code
 * x = (images - mean) / deviation
 * features = encoder(x)
 * slots = grouping(features, conditioning)
 * reconstruction, masks = decoder(slots)           of the images, or of the features
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [0, 1], of the parameters' type and the configuration's size.
 *   <li>outputs: {@link ObjectDiscoveryOutput}, as a list by the names that {@code
 *       ObjectDiscoveryTranslator} knows. Reconstruction and slot images are in the images' range.
 * </ul>
 *
 * <p>Everything is made from an {@link ObjectDiscoveryConfiguration}. Children are "encoder",
 * "conditioning", "grouping" and "decoder": the names of {@code KnownLayouts}.
 *
 * <p>A model with a network from a file holds memory outside of Java: close it.
 */
public final class ObjectDiscovery extends ConfiguredBlock implements Scriptable, AutoCloseable {

    private static final String IMAGES = "images";
    private static final int CHANNELS = 3;

    private final ObjectDiscoveryConfiguration configuration;
    private final Sizes sizes;
    private final ImageEncoder encoder;
    private final SlotStart conditioning;
    private final SlotGrouping grouping;
    private final ObjectDecoder decoder;
    private @Nullable Path unpacked;

    /**
     * Makes a model without weights.
     *
     * @param configuration what it is made from
     * @throws IllegalArgumentException if a part cannot be made as it is described, or does not fit
     *     the others
     * @throws UncheckedIOException if a network's file cannot be read
     */
    public ObjectDiscovery(ObjectDiscoveryConfiguration configuration) {
        this(configuration, null);
    }

    /** Makes a model whose files are in a folder. */
    ObjectDiscovery(ObjectDiscoveryConfiguration c, @Nullable Path folder) {
        configuration = c;
        try {
            Sizes images = Sizes.of(c, folder);
            encoder = EncoderKinds.ALL.make(c.encoder(), images);
            int features = Math.multiplyExact(encoder.gridHeight(), encoder.gridWidth());
            int featureDim = encoder.block().featureDim();
            int target =
                    encoder.block() instanceof ProjectedExtractor projected
                            ? projected.unprojectedDim()
                            : featureDim;
            sizes = images.withFeatures(features, featureDim, target);
            try {
                conditioning = ConditioningKinds.ALL.make(c.conditioning(), sizes);
                grouping = GroupingKinds.ALL.make(c.grouping(), sizes);
                decoder = DecoderKinds.ALL.make(c.decoder(), sizes);
            } catch (RuntimeException e) {
                closeEncoder();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        addChildBlock("encoder", encoder.block());
        if (conditioning.block() != null) {
            addChildBlock("conditioning", conditioning.block());
        }
        addChildBlock("grouping", grouping.block());
        addChildBlock("decoder", decoder.block());
    }

    /**
     * What the model was made from.
     *
     * @return the configuration
     */
    public ObjectDiscoveryConfiguration madeFrom() {
        return configuration;
    }

    /** The file of the encoder's network, for models that have one. */
    Path networkFile() {
        String file = ((EncoderConfiguration.Pretrained) configuration.encoder()).file();
        return sizes.folder() == null ? Path.of(file) : sizes.folder().resolve(file);
    }

    /**
     * The grid on which the encoder's features lie, row by row.
     *
     * @return its rows and columns
     */
    public Shape featureGrid() {
        return new Shape(encoder.gridHeight(), encoder.gridWidth());
    }

    /**
     * The parts by their names: for {@code StateDict.loadInto}, and {@code KnownLayouts}.
     *
     * @return "encoder", "conditioning" where something is learnt for it, "grouping" and "decoder"
     */
    public Map<String, Block> parts() {
        Map<String, Block> parts = new LinkedHashMap<>();
        parts.put("encoder", encoder.block());
        if (conditioning.block() != null) {
            parts.put("conditioning", conditioning.block());
        }
        parts.put("grouping", grouping.block());
        parts.put("decoder", decoder.block());
        return parts;
    }

    /**
     * Finds slots, and makes images or features of them again.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1], of the parameters' type
     * @param training whether to record a graph for gradients, and to draw what is random anew
     * @return slots and what is made of them, owned by the manager of the images
     * @throws IllegalArgumentException if the images have another shape, type or device than the
     *     model expects
     */
    public ObjectDiscoveryOutput discover(
            ParameterStore parameterStore, NDArray images, boolean training) {
        checkShape(Check.present(who(), IMAGES, images).getShape());
        Check.shape(who(), IMAGES, images, "B", CHANNELS, sizes.height(), sizes.width());
        Check.floating(who(), IMAGES, images.getDataType());
        fetchAll(parameterStore, images, training);
        return NoGraph.unless(
                training,
                () -> {
                    // All that is made on the way goes to a manager of its own, and with it.
                    try (NDManager own = images.getManager().newSubManager()) {
                        NDArray x = images.reshape(images.getShape());
                        x.attach(own);
                        ObjectDiscoveryOutput out = parts(parameterStore, x, training);
                        out.toNDList().forEach(array -> array.attach(images.getManager()));
                        return out;
                    }
                });
    }

    private ObjectDiscoveryOutput parts(ParameterStore store, NDArray images, boolean training) {
        NDArray x = scaled(images);
        FeatureExtractorOutput features = encoder.block().extract(store, x, training);
        NDArray unprojected = features.auxFeatures().get(ImageEncoder.UNPROJECTED);
        NDArray target = (unprojected == null ? features.features() : unprojected).stopGradient();
        Found found =
                grouping.way()
                        .group(
                                store,
                                features,
                                conditioning.way().begin(store, images, features, training),
                                training);
        Decoded made = decoder.way().decode(store, found, new Seen(images, target), training);
        NDArray slotImages = made.slotImages();
        return new ObjectDiscoveryOutput(
                decoder.ofFeatures() ? made.reconstruction() : unscaled(made.reconstruction()),
                slotImages == null ? null : unscaled(slotImages),
                made.masks(),
                found.slots(),
                found.positions(),
                made.target());
    }

    /**
     * The model in TorchScript, with outputs under the same names: {@code forward(images, noise,
     * slots)}. Without noise slots start from draws of PyTorch's, in inference too.
     *
     * @return a module that refers to the parameters themselves
     * @throws IllegalArgumentException if a part cannot be written; the message names it
     */
    @Override
    public ScriptModule script() {
        Block start = conditioning.block();
        if (start == null) {
            throw new IllegalArgumentException(
                    who() + ": this conditioning cannot be written in TorchScript: it is no block");
        }
        var colours = configuration.colours();
        return DiscoveryScript.of(
                encoder.block(),
                start,
                grouping.block(),
                decoder.block(),
                colours.mean(),
                colours.deviation());
    }

    private NDArray scaled(NDArray images) {
        var colours = configuration.colours();
        if (colours.equals(ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1)) {
            return images;
        }
        return images.sub(Scalars.like(images, colours.mean()))
                .div(Scalars.like(images, colours.deviation()));
    }

    private NDArray unscaled(NDArray made) {
        var colours = configuration.colours();
        if (colours.equals(ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1)) {
            return made;
        }
        return made.mul(Scalars.like(made, colours.deviation()))
                .add(Scalars.like(made, colours.mean()));
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return IMAGES;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray images = Inputs.only(who(), IMAGES, inputs);
        return discover(parameterStore, images, training).toNDList();
    }

    /** Requires the shape of images (B, 3, H, W), where -1 is an unknown size. */
    private void checkShape(Shape images) {
        Check.shape(who(), IMAGES, images, "B", CHANNELS, sizes.height(), sizes.width());
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        checkShape(inputShapes[0]);
        long batch = inputShapes[0].get(0);
        int k = sizes.slots();
        int n = sizes.features();
        List<Shape> shapes = new ArrayList<>();
        Shape objects = new Shape(batch, k, sizes.slotDim());
        Shape attributions = new Shape(batch, k, n);
        if (decoder.ofFeatures()) {
            shapes.add(new Shape(batch, n, sizes.targetDim()));
            shapes.add(attributions);
        } else {
            shapes.addAll(List.of(decoder.block().getOutputShapes(new Shape[] {objects})));
        }
        shapes.add(objects);
        GroupingConfiguration kind = configuration.grouping();
        if (!(kind instanceof GroupingConfiguration.SlotMlp)) {
            shapes.add(attributions);
        }
        if (kind instanceof GroupingConfiguration.StickBreaking
                || configuration.conditioning() instanceof ConditioningConfiguration.Colours) {
            shapes.add(new Shape(batch, k));
        }
        if (kind instanceof GroupingConfiguration.InvariantSlotAttention) {
            shapes.add(new Shape(batch, k, 2));
        }
        if (decoder.ofFeatures()) {
            shapes.add(new Shape(batch, n, sizes.targetDim()));
        }
        return shapes.toArray(Shape[]::new);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        Shape features = new Shape(1, sizes.features(), sizes.featureDim());
        Shape slots = new Shape(1, sizes.slots(), sizes.slotDim());
        Shape positions = new Shape(sizes.features(), 2);
        encoder.block()
                .initialize(
                        manager, dataType, new Shape(1, CHANNELS, sizes.height(), sizes.width()));
        if (conditioning.block() != null) {
            conditioning.block().initialize(manager, dataType, features);
        }
        grouping.block().initialize(manager, dataType, features, positions, slots);
        decoder.block().initialize(manager, dataType, slots, features);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("model", configuration);
    }

    /** Says that the folder of the model's files was made for this block. */
    void unpackedTo(Path folder) {
        unpacked = folder;
    }

    private void closeEncoder() {
        if (encoder.block() instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Closes the network from a file, if the encoder has one. */
    @Override
    public void close() {
        closeEncoder();
        if (unpacked != null) {
            try {
                AtomicFolder.delete(unpacked);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
