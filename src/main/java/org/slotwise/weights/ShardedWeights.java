package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
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
                Path path = index.resolveSibling(file.getKey());
                if (!Files.isRegularFile(path)) {
                    throw new IOException(
                            index + " names " + file.getKey() + ", which is not there");
                }
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

    /** The names of the arrays of each file. */
    private static Map<String, Set<String>> files(Path index) throws IOException {
        if (Files.size(index) > MOST_BYTES) {
            throw new IOException(index + ": expected names, got " + Files.size(index) + " bytes");
        }
        Map<String, Set<String>> files = new TreeMap<>();
        try {
            JsonElement all = JsonParser.parseString(Files.readString(index));
            JsonObject map = all.getAsJsonObject().getAsJsonObject("weight_map");
            if (map == null || map.isEmpty()) {
                throw new IOException(index + ": there is no weight_map");
            }
            for (Map.Entry<String, JsonElement> entry : map.entrySet()) {
                String file = entry.getValue().getAsString();
                // A name alone: an index must not lead out of its folder.
                if (!file.matches("[A-Za-z0-9_.-]+") || file.startsWith(".")) {
                    throw new IOException(index + ": no name of a file beside it: " + file);
                }
                files.computeIfAbsent(file, f -> new TreeSet<>()).add(entry.getKey());
            }
        } catch (JsonParseException
                | IllegalStateException
                | ClassCastException
                | UnsupportedOperationException
                | StackOverflowError e) {
            throw new IOException(index + ": no index of weights: " + e.getMessage(), e);
        }
        return files;
    }
}
