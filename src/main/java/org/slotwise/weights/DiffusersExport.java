package org.slotwise.weights;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;
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
     * that is there is replaced with all its weights, also where they lie in several files, if
     * nothing else than files of {@code save_pretrained} is in it.
     *
     * @param folder where to; its parent must be there
     * @param options by diffusers' names, in their order: texts, numbers, truths, lists of these
     * @param weights by diffusers' names
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    public static void write(Path folder, Map<String, ?> options, StateDict weights)
            throws IOException {
        byte[] json = json(options);
        write(
                folder,
                name -> name.equals(DiffusersFolder.CONFIG) || DiffusersWeights.isOne(name),
                inside -> {
                    weights.write(inside.resolve(DiffusersWeights.FILES.get(0)));
                    Path config = inside.resolve(DiffusersFolder.CONFIG);
                    AtomicFile.write(config, out -> out.write(json));
                });
    }

    /**
     * Writes the folder of a scheduler: {@code scheduler_config.json} alone. Otherwise as {@link
     * #write}.
     *
     * @param folder where to; its parent must be there
     * @param options by diffusers' names, in their order
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    public static void writeScheduler(Path folder, Map<String, ?> options) throws IOException {
        byte[] json = json(options);
        write(
                folder,
                DiffusersFolder.SCHEDULER::equals,
                inside -> {
                    Path config = inside.resolve(DiffusersFolder.SCHEDULER);
                    AtomicFile.write(config, out -> out.write(json));
                });
    }

    private static byte[] json(Map<String, ?> options) {
        return (JSON.toJson(options) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void write(Path folder, Predicate<String> isOurs, AtomicFolder.Content content)
            throws IOException {
        try {
            AtomicFolder.finish(folder);
            requireReplaceable(folder, isOurs);
            AtomicFolder.write(folder, content);
        } catch (IOException e) {
            throw new IOException(
                    "DiffusersExport: cannot write " + folder + ": " + e.getMessage(), e);
        }
    }

    private static void requireReplaceable(Path folder, Predicate<String> isOurs)
            throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (String name : files.map(f -> f.getFileName().toString()).sorted().toList()) {
                if (!isOurs.test(name)) {
                    throw new FileAlreadyExistsException(
                            folder.toString(),
                            null,
                            "it has other files than a network's in it, such as "
                                    + name
                                    + ", and is not overwritten: move them out of it, or write"
                                    + " to another folder");
                }
            }
        }
    }
}
