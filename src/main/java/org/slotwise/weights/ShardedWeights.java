package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Weights in several files, as diffusers writes large networks: an index says which array is in
 * which file beside it.
 *
 * <pre>{@code
 * {"metadata": {...}, "weight_map": {"conv_in.weight": "diffusion_pytorch_model-00001-of-00002.safetensors"}}
 * }</pre>
 */
final class ShardedWeights {

    private static final long MOST_BYTES = 1 << 26;

    private ShardedWeights() {}

    /** Reads the arrays that an index names, of all files. */
    static StateDict read(Path index) throws IOException {
        Map<String, Set<String>> files = files(index);
        NDManager owner = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        try {
            Map<String, NDArray> arrays = new LinkedHashMap<>();
            for (Map.Entry<String, Set<String>> file : files.entrySet()) {
                Path path = beside(index, file.getKey());
                try (StateDict part = StateDict.read(path)) {
                    for (String name : file.getValue()) {
                        if (!part.names().contains(name)) {
                            throw new IOException(path + " has no " + name + ", as its index says");
                        }
                        NDArray array = part.get(name);
                        array.attach(owner);
                        arrays.put(name, array);
                    }
                }
            }
            return new StateDict(index.toString(), arrays, Map.of(), owner);
        } catch (IOException | RuntimeException e) {
            owner.close();
            throw e;
        }
    }

    /** How many bytes the files have together. */
    static long bytes(Path index) throws IOException {
        long sum = 0;
        for (String file : files(index).keySet()) {
            sum += Files.size(beside(index, file));
        }
        return sum;
    }

    private static Path beside(Path index, String file) throws IOException {
        Path path = index.resolveSibling(file);
        if (!Files.isRegularFile(path)) {
            throw new IOException(index + " names " + file + ", which is not there");
        }
        return path;
    }

    /** The names of the arrays of each file. */
    private static Map<String, Set<String>> files(Path index) throws IOException {
        JsonElement map = JsonFile.read(index, "names", MOST_BYTES).get("weight_map");
        if (!(map instanceof JsonObject names) || names.isEmpty()) {
            throw new IOException(
                    index + ": weight_map must say the file of each array, got " + map);
        }
        Map<String, Set<String>> files = new TreeMap<>();
        for (Map.Entry<String, JsonElement> entry : names.entrySet()) {
            String file =
                    entry.getValue() instanceof JsonPrimitive value && value.isString()
                            ? value.getAsString()
                            : "";
            // A name alone: an index must not lead out of its folder.
            if (!file.matches("[A-Za-z0-9_.-]+") || file.startsWith(".")) {
                throw new IOException(
                        index
                                + ": "
                                + entry.getKey()
                                + " must be in a file beside it, got "
                                + entry.getValue());
            }
            files.computeIfAbsent(file, f -> new TreeSet<>()).add(entry.getKey());
        }
        return files;
    }
}
