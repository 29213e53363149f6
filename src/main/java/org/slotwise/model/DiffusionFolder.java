package org.slotwise.model;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slotwise.internal.ParameterArray;
import org.slotwise.model.ModelFiles.Item;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * A {@link LatentSlotDiffusion} on disk: a folder, or the same files in a .zip ({@link
 * ModelFiles}).
 *
 * <pre>{@code
 * model.json            the configuration
 * weights.safetensors   the parameters, named as in StateDict
 * backbone.pt, .onnx    the network of the encoder, if it is one from a file
 * }</pre>
 *
 * <p>Or one .safetensors, whose metadata have the configuration.
 */
final class DiffusionFolder {

    private static final ModelFiles FILES = new ModelFiles("LatentSlotDiffusion", names());

    private static final String ONE_FILE = ".safetensors";
    private static final String SAID = "configuration";

    private DiffusionFolder() {}

    private static Set<String> names() {
        Set<String> names = new LinkedHashSet<>(ModelFolder.NETWORKS);
        names.add(ModelFiles.CONFIGURATION);
        names.add(ModelFiles.WEIGHTS);
        return names;
    }

    static void write(Path path, LatentSlotDiffusion block) throws IOException {
        if (isOneFile(path)) {
            writeFile(path, block);
            return;
        }
        List<Item> items = new ArrayList<>();
        LatentSlotDiffusionConfiguration c = block.madeFrom();
        String json =
                new LatentSlotDiffusionConfiguration(
                                ModelFolder.withNetwork(block.discovery(), items),
                                c.positionFrequencies(),
                                c.latents(),
                                c.diffusion(),
                                c.denoiser())
                        .toJson();
        StateDict weights =
                StateDict.of(block).withMetadata(ConfigurationJson.DIFFUSION.metadata());
        items.add(
                new Item(
                        ModelFiles.WEIGHTS,
                        out -> weights.write(out, StateDictFormat.SAFETENSORS)));
        items.add(
                new Item(
                        ModelFiles.CONFIGURATION,
                        out -> out.write(json.getBytes(StandardCharsets.UTF_8))));
        FILES.write(path, items);
    }

    static LatentSlotDiffusion read(Path path, NDManager manager) throws IOException {
        if (isOneFile(path)) {
            return readFile(path, manager);
        }
        return FILES.read(
                path,
                folder -> readFolder(folder, manager),
                (block, folder) -> ModelFolder.keeps(block.discovery(), folder));
    }

    private static LatentSlotDiffusion readFolder(Path folder, NDManager manager)
            throws IOException {
        LatentSlotDiffusionConfiguration c =
                ModelFiles.configuration(folder, LatentSlotDiffusionConfiguration::fromJson);
        ModelFolder.checkNetwork(c.discovery());
        try (StateDict state = StateDict.read(folder.resolve(ModelFiles.WEIGHTS))) {
            return loaded(new LatentSlotDiffusion(c, folder), state, manager);
        } catch (IllegalArgumentException e) {
            throw new IOException(ModelFiles.WEIGHTS + ": " + e.getMessage(), e);
        }
    }

    /** A folder of such a name is one that was saved before there were such files. */
    private static boolean isOneFile(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(ONE_FILE)
                && !Files.isDirectory(path);
    }

    private static void writeFile(Path path, LatentSlotDiffusion block) throws IOException {
        LatentSlotDiffusionConfiguration c = block.madeFrom();
        try {
            requireNoNetwork(c);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "LatentSlotDiffusion: cannot write " + path + ": " + e.getMessage(), e);
        }
        StateDict.of(block).withMetadata(Map.of(SAID, c.toJson())).write(path);
    }

    /** It is a program that runs: never of a file that weights name. */
    private static void requireNoNetwork(LatentSlotDiffusionConfiguration c) {
        if (c.discovery().encoder() instanceof EncoderConfiguration.Pretrained) {
            throw new IllegalArgumentException(
                    "the network of its encoder is a file of its own, which takes a folder or .zip");
        }
    }

    private static LatentSlotDiffusion readFile(Path path, NDManager manager) throws IOException {
        try (StateDict state = StateDict.read(path)) {
            return of(state, manager);
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    "LatentSlotDiffusion: cannot load " + path + ": " + e.getMessage(), e);
        }
    }

    /** Weights that say themselves what they are of. */
    static LatentSlotDiffusion of(StateDict state, NDManager manager) {
        String json = state.metadata().get(SAID);
        if (json == null) {
            throw new IllegalArgumentException("metadata of weights do not say their " + SAID);
        }
        LatentSlotDiffusionConfiguration c = LatentSlotDiffusionConfiguration.fromJson(json);
        requireNoNetwork(c);
        return loaded(new LatentSlotDiffusion(c), state, manager);
    }

    private static LatentSlotDiffusion loaded(
            LatentSlotDiffusion block, StateDict state, NDManager manager) {
        try {
            ObjectDiscoveryConfiguration d = block.madeFrom().discovery();
            block.initialize(
                    manager,
                    ModelFolder.floating(state.requireFinite()),
                    new Shape(1, 3, d.imageHeight(), d.imageWidth()));
            state.loadInto(block);
            return block;
        } catch (RuntimeException e) {
            ParameterArray.closeAll(block);
            block.close();
            throw e;
        }
    }
}
