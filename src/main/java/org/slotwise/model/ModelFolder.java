package org.slotwise.model;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.BlockFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.slotwise.model.EncoderConfiguration.Pretrained;
import org.slotwise.model.ModelFiles.Item;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * An {@link ObjectDiscovery} on disk: a folder, or the same files in a .zip ({@link ModelFiles}).
 *
 * <pre>{@code
 * model.json            the configuration
 * weights.safetensors   the parameters, named as in StateDict
 * serving.properties    what DJL needs to load it by itself
 * backbone.pt, .onnx    the network of the encoder, if it is one from a file
 * }</pre>
 */
final class ModelFolder {

    static final String CONFIGURATION = ModelFiles.CONFIGURATION;
    static final String WEIGHTS = ModelFiles.WEIGHTS;
    static final String SERVING = "serving.properties";

    private static final String WHO = "ObjectDiscoveryModel";
    private static final String BACKBONE = "backbone";
    private static final String TORCHSCRIPT = BACKBONE + ".pt";
    private static final String ONNX = BACKBONE + ".onnx";

    /** What the network of an encoder is called. */
    static final Set<String> NETWORKS = Set.of(TORCHSCRIPT, ONNX);

    private static final ModelFiles FILES =
            new ModelFiles(WHO, Set.of(CONFIGURATION, WEIGHTS, SERVING, TORCHSCRIPT, ONNX));

    private static final String PROPERTIES =
            """
            # How DJL loads this model: Criteria.builder().optModelPath(...).optEngine("PyTorch")
            #     .optTranslatorFactory(new DeferredTranslatorFactory())
            engine=PyTorch
            blockFactory=%s
            translatorFactory=org.slotwise.model.ObjectDiscoveryTranslatorFactory
            option.hasParameter=false
            """;

    private ModelFolder() {}

    static void write(Path path, ObjectDiscovery block) throws IOException {
        FILES.write(path, items(block));
    }

    /** Requires that what is there, if anything, may be replaced. */
    static void requireReplaceable(Path path) throws IOException {
        FILES.requireReplaceable(path);
    }

    private static List<Item> items(ObjectDiscovery block) {
        List<Item> items = new ArrayList<>();
        ObjectDiscoveryConfiguration c = withNetwork(block, items);
        byte[] json = c.toJson().getBytes(StandardCharsets.UTF_8);
        StateDict weights =
                StateDict.of(block).withMetadata(ConfigurationJson.DISCOVERY.metadata());
        items.add(new Item(WEIGHTS, out -> weights.write(out, StateDictFormat.SAFETENSORS)));
        items.add(serving(ObjectDiscoveryBlockFactory.class));
        items.add(new Item(CONFIGURATION, out -> out.write(json)));
        return items;
    }

    /** What DJL needs to load a model by itself. */
    static Item serving(Class<? extends BlockFactory> blocks) {
        byte[] properties = PROPERTIES.formatted(blocks.getName()).getBytes(StandardCharsets.UTF_8);
        return new Item(SERVING, out -> out.write(properties));
    }

    /** Adds the file of an encoder's network, and gives the configuration its name there. */
    static ObjectDiscoveryConfiguration withNetwork(ObjectDiscovery block, List<Item> items) {
        ObjectDiscoveryConfiguration c = block.madeFrom();
        if (c.encoder() instanceof Pretrained encoder) {
            Path file = block.networkFile();
            String name = isOnnx(file) ? ONNX : TORCHSCRIPT;
            items.add(new Item(name, out -> Files.copy(file, out)));
            return c.withEncoder(encoder.withFile(name));
        }
        return c;
    }

    private static boolean isOnnx(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
    }

    /**
     * The block of a model, with its weights in the manager of a DJL model, whose type is set to
     * theirs.
     */
    static ObjectDiscovery read(Path path, Model model) throws IOException {
        return FILES.read(path, folder -> readFolder(folder, model), ModelFolder::keeps);
    }

    /** A network from a file stays in its folder, to be saved again. */
    static boolean keeps(ObjectDiscovery block, Path folder) {
        if (!(block.madeFrom().encoder() instanceof Pretrained)) {
            return false;
        }
        block.unpackedTo(folder);
        return true;
    }

    private static ObjectDiscovery readFolder(Path folder, Model model) throws IOException {
        ObjectDiscoveryConfiguration c =
                ModelFiles.configuration(folder, ObjectDiscoveryConfiguration::fromJson);
        checkNetwork(c);
        try (StateDict state = StateDict.read(folder.resolve(WEIGHTS))) {
            ObjectDiscovery block = new ObjectDiscovery(c, folder);
            try {
                DataType type = floating(state.requireFinite());
                model.setDataType(type);
                ModelWeights.draw(block, model.getNDManager(), type);
                state.loadInto(block);
                return block;
            } catch (RuntimeException e) {
                block.close();
                throw e;
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(WEIGHTS + ": " + e.getMessage(), e);
        }
    }

    /** The type of weights. */
    static DataType floating(StateDict state) {
        return state.arrays().values().stream()
                .map(array -> array.getDataType())
                .filter(DataType::isFloating)
                .findFirst()
                .orElse(DataType.FLOAT32);
    }

    /** Requires the network of an encoder to be in the model's folder. */
    static void checkNetwork(ObjectDiscoveryConfiguration c) throws IOException {
        if (c.encoder() instanceof Pretrained encoder
                && !encoder.file().equals(TORCHSCRIPT)
                && !encoder.file().equals(ONNX)) {
            throw new IOException(
                    CONFIGURATION
                            + ": encoder.file must be "
                            + TORCHSCRIPT
                            + " or .onnx in the model's folder, got "
                            + encoder.file());
        }
    }
}
