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
    private final DiscoveryParts made;
    private final @Nullable DiscoveryOfFewPixels ofFewPixels;
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
            made = DiscoveryParts.of(c, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        made.blocks().forEach(this::addChildBlock);
        ofFewPixels = DiscoveryOfFewPixels.of(made, c);
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
        Path folder = made.sizes().folder();
        return folder == null ? Path.of(file) : folder.resolve(file);
    }

    /**
     * The grid on which the encoder's features lie, row by row.
     *
     * @return its rows and columns
     */
    public Shape featureGrid() {
        return new Shape(made.encoder().gridHeight(), made.encoder().gridWidth());
    }

    /**
     * The parts by their names: for {@code StateDict.loadInto}, and {@code KnownLayouts}.
     *
     * @return "encoder", "conditioning" where something is learnt for it, "grouping" and "decoder"
     */
    public Map<String, Block> parts() {
        return made.blocks();
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
        checkImages(images);
        DiscoveryOfFewPixels few = ofFewPixels;
        if (few != null && !training && few.suits(images)) {
            NDList out =
                    compute(
                            parameterStore,
                            images,
                            false,
                            pass -> few.call(pass, parameterStore, images));
            if (!out.isEmpty()) {
                return DiscoveryOfFewPixels.output(out);
            }
        }
        return inParts(parameterStore, images, training);
    }

    private ObjectDiscoveryOutput inParts(
            ParameterStore parameterStore, NDArray images, boolean training) {
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
        FeatureExtractorOutput features = features(store, images, training);
        NDArray unprojected = features.auxFeatures().get(ImageEncoder.UNPROJECTED);
        NDArray target = (unprojected == null ? features.features() : unprojected).stopGradient();
        Found found = found(store, images, features, training);
        Decoded out = made.decoder().way().decode(store, found, new Seen(images, target), training);
        NDArray slotImages = out.slotImages();
        return new ObjectDiscoveryOutput(
                made.decoder().ofFeatures()
                        ? out.reconstruction()
                        : configuration.colours().unscaled(out.reconstruction()),
                slotImages == null ? null : configuration.colours().unscaled(slotImages),
                out.masks(),
                found.slots(),
                found.positions(),
                out.target());
    }

    /** What the encoder makes of images that were checked. */
    FeatureExtractorOutput features(ParameterStore store, NDArray images, boolean training) {
        NDArray x = configuration.colours().scaled(images);
        return made.encoder().block().extract(store, x, training);
    }

    private Found found(
            ParameterStore store,
            NDArray images,
            FeatureExtractorOutput features,
            boolean training) {
        return made.grouping()
                .way()
                .group(
                        store,
                        features,
                        made.conditioning().way().begin(store, images, features, training),
                        training);
    }

    /** Slots of images (B, 3, H, W) in [0, 1] that were checked, and nothing made of them. */
    Found found(ParameterStore store, NDArray images, boolean training) {
        return found(store, images, features(store, images, training), training);
    }

    /** Requires images to be what {@link #discover} takes. */
    void checkImages(NDArray images) {
        checkShape(Check.present(who(), IMAGES, images).getShape());
        Check.shape(
                who(), IMAGES, images, "B", CHANNELS, made.sizes().height(), made.sizes().width());
        Check.floating(who(), IMAGES, images.getDataType());
    }

    /**
     * The shapes of slots, their attributions, and whether they are empty, where there are such.
     */
    List<Shape> slotShapes(long batch) {
        return made.slotShapes(configuration, batch);
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
        Block start = made.conditioning().block();
        if (start == null) {
            throw new IllegalArgumentException(
                    who() + ": this conditioning cannot be written in TorchScript: it is no block");
        }
        var colours = configuration.colours();
        return DiscoveryScript.of(
                made.encoder().block(),
                start,
                made.grouping().block(),
                made.decoder().block(),
                colours.mean(),
                colours.deviation());
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
        Check.shape(
                who(), IMAGES, images, "B", CHANNELS, made.sizes().height(), made.sizes().width());
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        checkShape(inputShapes[0]);
        return made.outputShapes(configuration, inputShapes[0].get(0));
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        made.initialize(manager, dataType);
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

    /** Closes the network from a file, if the encoder has one. */
    @Override
    public void close() {
        made.close();
        if (unpacked != null) {
            try {
                AtomicFolder.delete(unpacked);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
