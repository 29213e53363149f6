package org.slotwise.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The weights of a {@link DiffusersFolder}: in one file, or in several that an index names. */
final class DiffusersWeights {

    private static final String STEM = "diffusion_pytorch_model";

    /** Names of all weights in one file, the one that is written first. */
    static final List<String> FILES =
            List.of(
                    STEM + ".safetensors",
                    STEM + ".bin",
                    STEM + ".fp16.safetensors",
                    STEM + ".fp16.bin");

    /** Of weights in several files. */
    private static final List<String> INDEXES =
            List.of(
                    STEM + ".safetensors.index.json",
                    STEM + ".bin.index.json",
                    STEM + ".safetensors.index.fp16.json",
                    STEM + ".bin.index.fp16.json");

    /** Several files of weights, as diffusers calls them; an index may name others. */
    private static final Pattern PART =
            Pattern.compile(STEM + "(\\.fp16)?-\\d{5}-of-\\d{5}(\\.fp16)?\\.(safetensors|bin)");

    private DiffusersWeights() {}

    /** Whether {@code save_pretrained} calls a file of weights so, one of several, or an index. */
    static boolean isOne(String name) {
        return FILES.contains(name) || INDEXES.contains(name) || PART.matcher(name).matches();
    }

    /**
     * Where the weights of a folder are.
     *
     * @return their file, or the index that names their files
     * @throws IOException if there is neither
     */
    static Path in(Path folder) throws IOException {
        List<String> names = new ArrayList<>(FILES);
        names.addAll(INDEXES);
        for (String name : names) {
            Path path = folder.resolve(name);
            if (Files.isRegularFile(path)) {
                return path;
            }
        }
        throw new IOException(
                folder
                        + " has no weights: expected one of "
                        + FILES
                        + ", or of several files with "
                        + INDEXES);
    }

    /** Reads what {@link #in} found. */
    static StateDict read(Path path) throws IOException {
        return isIndex(path) ? ShardedWeights.read(path) : StateDict.read(path);
    }

    /** How many bytes the file has that {@link #in} found, or those that an index names. */
    static long bytes(Path path) throws IOException {
        return isIndex(path) ? ShardedWeights.bytes(path) : Files.size(path);
    }

    private static boolean isIndex(Path path) {
        return INDEXES.contains(String.valueOf(path.getFileName()));
    }
}
