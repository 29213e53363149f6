package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.OutputFolder;

/**
 * Where a model is to be kept.
 *
 * @param path a folder, or a file that ends in .zip
 */
record ModelTarget(Path path) {

    private static final List<String> OF_A_MODEL =
            List.of(
                    "model.json",
                    "weights.safetensors",
                    "serving.properties",
                    "backbone.pt",
                    "backbone.onnx");

    /** Whether it is to be one file. */
    boolean isZip() {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
    }

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @throws IOException if nothing can be written there, with a message for the user
     */
    void check() throws IOException {
        if (isZip()) {
            new OutputFile(path).check(null);
            return;
        }
        new OutputFolder(path).check();
        if (Files.isDirectory(path)) {
            try (Stream<Path> inside = Files.list(path)) {
                List<String> names = inside.map(file -> file.getFileName().toString()).toList();
                for (String name : names) {
                    if (!OF_A_MODEL.contains(name)) {
                        throw new IOException(
                                path
                                        + " has other files than a model's in it, such as "
                                        + name
                                        + ": it is not overwritten");
                    }
                }
                if (!names.isEmpty() && !names.contains(OF_A_MODEL.get(0))) {
                    throw new IOException(path + " is no model, and is not overwritten");
                }
            }
        }
    }

    /** Makes the folder that it is to lie in. */
    void makeParent() throws IOException {
        Path parent = path.toAbsolutePath().normalize().getParent();
        if (parent != null) {
            new OutputFolder(parent).make();
        }
    }
}
