package org.slotwise.weights;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.AtomicFolder;

/**
 * Writes a folder as diffusers' {@code save_pretrained} does: {@code config.json}, and the weights
 * in {@code diffusion_pytorch_model.safetensors}. {@link DiffusersFolder} reads it, and so does
 * diffusers' {@code from_pretrained}.
 */
public final class DiffusersExport {

    private static final Gson JSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private DiffusersExport() {}

    /**
     * Writes a folder. It is written beside its place and moved there when it is whole; a folder
     * that is there is replaced, if nothing else than such files is in it.
     *
     * @param folder where to; its parent must be there
     * @param options by diffusers' names, in their order: texts, numbers, truths, lists of these
     * @param weights by diffusers' names
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    public static void write(Path folder, Map<String, ?> options, StateDict weights)
            throws IOException {
        byte[] json = (JSON.toJson(options) + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            AtomicFolder.finish(folder);
            requireReplaceable(folder);
            AtomicFolder.write(
                    folder,
                    inside -> {
                        weights.write(inside.resolve(DiffusersFolder.WEIGHTS.get(0)));
                        Path config = inside.resolve(DiffusersFolder.CONFIG);
                        AtomicFile.write(config, out -> out.write(json));
                    });
        } catch (IOException e) {
            throw new IOException(
                    "DiffusersExport: cannot write " + folder + ": " + e.getMessage(), e);
        }
    }

    private static void requireReplaceable(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (String name : files.map(f -> f.getFileName().toString()).sorted().toList()) {
                if (!name.equals(DiffusersFolder.CONFIG)
                        && !DiffusersFolder.WEIGHTS.contains(name)) {
                    throw new FileAlreadyExistsException(
                            folder.toString(),
                            null,
                            "it has other files than a network's in it, such as "
                                    + name
                                    + ", and is not overwritten");
                }
            }
        }
    }
}
