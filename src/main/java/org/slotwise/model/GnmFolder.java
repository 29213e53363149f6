package org.slotwise.model;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.internal.Check;
import org.slotwise.model.ModelFiles.Item;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * A {@link Gnm} on disk: a folder, or the same files in a .zip ({@link ModelFiles}).
 *
 * <pre>{@code
 * model.json            the configuration
 * weights.safetensors   the parameters, named as in StateDict
 * serving.properties    what DJL needs to load it by itself
 * }</pre>
 */
final class GnmFolder {

    static final String WHO = "GnmModel";

    /** What pictures have. */
    private static final int COLOURS = 3;

    private static final ModelFiles FILES =
            new ModelFiles(
                    WHO, Set.of(ModelFiles.CONFIGURATION, ModelFiles.WEIGHTS, ModelFolder.SERVING));

    private GnmFolder() {}

    static void requireColours(GnmConfiguration configuration) {
        int channels = configuration.picture().channels();
        Check.option(
                channels == COLOURS,
                WHO + ": picture.channels must be " + COLOURS + ", got " + channels);
    }

    /** A block whose weights are drawn with the engine's generator. */
    static Gnm draw(GnmConfiguration configuration, NDManager manager, DataType type) {
        Gnm block = new Gnm(configuration);
        int size = configuration.picture().size();
        block.initialize(manager, type, new Shape(1, COLOURS, size, size));
        return block;
    }

    static void write(Path path, Gnm block) throws IOException {
        StateDict weights = StateDict.of(block).withMetadata(ConfigurationJson.GNM.metadata());
        byte[] json = ConfigurationJson.GNM.write(block.sizes()).getBytes(StandardCharsets.UTF_8);
        FILES.write(
                path,
                List.of(
                        new Item(
                                ModelFiles.WEIGHTS,
                                out -> weights.write(out, StateDictFormat.SAFETENSORS)),
                        ModelFolder.serving(GnmBlockFactory.class),
                        new Item(ModelFiles.CONFIGURATION, out -> out.write(json))));
    }

    /** Whether a folder or .zip says that it is of this kind. */
    static boolean is(Path path) throws IOException {
        return FILES.isOf(path, ConfigurationJson.GNM);
    }

    /** The block of a model, with its weights in the manager of a DJL model. */
    static Gnm read(Path path, Model model) throws IOException {
        return FILES.read(path, folder -> readFolder(folder, model), (block, folder) -> false);
    }

    private static Gnm readFolder(Path folder, Model model) throws IOException {
        GnmConfiguration configuration =
                ModelFiles.configuration(
                        folder,
                        json -> {
                            GnmConfiguration read = ConfigurationJson.GNM.read(json);
                            requireColours(read);
                            return read;
                        });
        try (StateDict state = StateDict.read(folder.resolve(ModelFiles.WEIGHTS))) {
            DataType type = ModelFolder.floating(state.requireFinite());
            model.setDataType(type);
            Gnm block = draw(configuration, model.getNDManager(), type);
            state.loadInto(block);
            return block;
        } catch (IllegalArgumentException e) {
            throw new IOException(ModelFiles.WEIGHTS + ": " + e.getMessage(), e);
        }
    }
}
