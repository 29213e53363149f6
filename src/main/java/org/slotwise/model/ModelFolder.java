package org.slotwise.model;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.AtomicFolder;
import org.slotwise.model.EncoderConfiguration.Pretrained;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * A model on disk: a folder, or the same files in a .zip.
 *
 * <pre>{@code
 * model.json            the configuration
 * weights.safetensors   the parameters, named as in StateDict
 * serving.properties    what DJL needs to load it by itself
 * backbone.pt, .onnx    the network of the encoder, if it is one from a file
 * }</pre>
 *
 * <p>It is written beside its place and moved there when it is whole ({@link AtomicFolder}).
 */
final class ModelFolder {

    static final String CONFIGURATION = "model.json";
    static final String WEIGHTS = "weights.safetensors";
    static final String SERVING = "serving.properties";

    private static final String WHO = "ObjectDiscoveryModel";
    private static final String BACKBONE = "backbone";
    private static final String TORCHSCRIPT = BACKBONE + ".pt";
    private static final String ONNX = BACKBONE + ".onnx";
    private static final Set<String> NAMES =
            Set.of(CONFIGURATION, WEIGHTS, SERVING, TORCHSCRIPT, ONNX);

    /** More than any configuration has. */
    private static final long MOST_JSON = 1 << 22;

    private static final String PROPERTIES =
            """
            # How DJL loads this model: Criteria.builder().optModelPath(...).optEngine("PyTorch")
            engine=PyTorch
            blockFactory=org.slotwise.model.ObjectDiscoveryBlockFactory
            translatorFactory=org.slotwise.model.ObjectDiscoveryTranslatorFactory
            option.hasParameter=false
            """;

    private ModelFolder() {}

    /** What is written: a name, and its content. */
    private record Item(String name, AtomicFile.Content content) {}

    static void write(Path path, ObjectDiscovery block) throws IOException {
        List<Item> items = items(block);
        if (isZip(path)) {
            requireReplaceable(path);
            AtomicFile.write(path, out -> zip(items, out));
        } else {
            writeFolder(path, items);
        }
    }

    private static boolean isZip(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
    }

    private static List<Item> items(ObjectDiscovery block) {
        ObjectDiscoveryConfiguration c = block.madeFrom();
        List<Item> items = new ArrayList<>();
        if (c.encoder() instanceof Pretrained encoder) {
            Path file = block.networkFile();
            String name = isOnnx(file) ? ONNX : TORCHSCRIPT;
            c = c.withEncoder(encoder.withFile(name));
            items.add(new Item(name, out -> Files.copy(file, out)));
        }
        byte[] json = c.toJson().getBytes(StandardCharsets.UTF_8);
        StateDict weights =
                StateDict.of(block)
                        .withMetadata(
                                Map.of(
                                        "format",
                                        ConfigurationJson.FORMAT,
                                        "version",
                                        Integer.toString(ConfigurationJson.VERSION)));
        items.add(new Item(WEIGHTS, out -> weights.write(out, StateDictFormat.SAFETENSORS)));
        items.add(new Item(SERVING, out -> out.write(PROPERTIES.getBytes(StandardCharsets.UTF_8))));
        items.add(new Item(CONFIGURATION, out -> out.write(json)));
        return items;
    }

    private static boolean isOnnx(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
    }

    private static void zip(List<Item> items, OutputStream out) throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        for (Item item : items) {
            ZipEntry entry = new ZipEntry(item.name());
            entry.setTime(0); // the same model gives the same bytes
            zip.putNextEntry(entry);
            item.content().writeTo(zip);
            zip.closeEntry();
        }
        zip.finish();
    }

    private static void writeFolder(Path path, List<Item> items) throws IOException {
        AtomicFolder.finish(path);
        requireReplaceable(path);
        try {
            AtomicFolder.write(
                    path,
                    folder -> {
                        for (Item item : items) {
                            AtomicFile.write(folder.resolve(item.name()), item.content());
                        }
                    });
        } catch (IOException e) {
            throw new IOException(WHO + ": cannot write " + path + ": " + e.getMessage(), e);
        }
    }

    /** Requires that what is there, if anything, is a model and nothing else, or empty. */
    static void requireReplaceable(Path path) throws IOException {
        boolean zip = isZip(path);
        if (Files.isDirectory(path) ? zip : !zip && Files.exists(path)) {
            throw taken(path, "is a " + (zip ? "folder, not a .zip" : "file, not a folder"));
        }
        List<String> names = List.of();
        if (Files.isDirectory(path)) {
            try (Stream<Path> files = Files.list(path)) {
                names = files.map(f -> f.getFileName().toString()).sorted().toList();
            }
        } else if (Files.isRegularFile(path) && Files.size(path) > 0) {
            try (ZipFile file = new ZipFile(path.toFile())) {
                names = file.stream().map(ZipEntry::getName).sorted().toList();
            } catch (ZipException e) {
                throw taken(path, "is no whole zip file");
            }
            if (names.isEmpty()) {
                throw taken(path, "is no model");
            }
        }
        for (String name : names) {
            if (!NAMES.contains(name)) {
                throw taken(path, "has other files than a model's in it, such as " + name);
            }
        }
        if (!names.isEmpty() && !names.containsAll(List.of(CONFIGURATION, WEIGHTS))) {
            throw taken(path, "is no model");
        }
    }

    private static FileAlreadyExistsException taken(Path path, String why) {
        return new FileAlreadyExistsException(
                path.toString(), null, "it " + why + ", and is not overwritten");
    }

    /**
     * The block of a model, with its weights in the manager of a DJL model, whose type is set to
     * theirs.
     */
    static ObjectDiscovery read(Path path, Model model) throws IOException {
        try {
            AtomicFolder.finish(path);
            if (Files.isDirectory(path)) {
                return readFolder(path, model);
            }
            if (!Files.isRegularFile(path)) {
                throw new IOException("there is no folder or file of this name");
            }
            Path folder = Files.createTempDirectory("slotwise-model");
            ObjectDiscovery block = null;
            try {
                unzip(path, folder);
                block = readFolder(folder, model);
                return block;
            } finally {
                if (block != null && block.madeFrom().encoder() instanceof Pretrained) {
                    block.unpackedTo(folder); // to be saved again
                } else {
                    AtomicFolder.delete(folder);
                }
            }
        } catch (IOException | IllegalArgumentException | UncheckedIOException e) {
            throw new IOException(WHO + ": cannot load " + path + ": " + e.getMessage(), e);
        }
    }

    private static void unzip(Path path, Path folder) throws IOException {
        try (ZipFile zip = new ZipFile(path.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                String name = entry.getName();
                // What is not of a model stays where it is: it could lie anywhere.
                if (name.equals(CONFIGURATION)
                        || name.equals(WEIGHTS)
                        || name.equals(TORCHSCRIPT)
                        || name.equals(ONNX)) {
                    try (InputStream in = zip.getInputStream(entry)) {
                        Files.copy(in, folder.resolve(name));
                    }
                }
            }
        } catch (ZipException e) {
            throw new IOException("it is no whole zip file: " + e.getMessage(), e);
        }
    }

    private static ObjectDiscovery readFolder(Path folder, Model model) throws IOException {
        Path json = folder.resolve(CONFIGURATION);
        Path weights = folder.resolve(WEIGHTS);
        for (Path file : List.of(json, weights)) {
            if (!Files.isRegularFile(file)) {
                throw new IOException("it has no " + file.getFileName());
            }
        }
        if (Files.size(json) > MOST_JSON) {
            throw new IOException(CONFIGURATION + " is too large for a configuration");
        }
        ObjectDiscoveryConfiguration c;
        try {
            c = ObjectDiscoveryConfiguration.fromJson(Files.readString(json));
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw new IOException(CONFIGURATION + ": " + e.getMessage(), e);
        }
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
        try (StateDict state = StateDict.read(weights)) {
            ObjectDiscovery block = new ObjectDiscovery(c, folder);
            try {
                DataType type =
                        state.arrays().values().stream()
                                .map(array -> array.getDataType())
                                .filter(DataType::isFloating)
                                .findFirst()
                                .orElse(DataType.FLOAT32);
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
}
