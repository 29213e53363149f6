package org.slotwise.examples.discover;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ShippedWeights;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.weights.StateDict;

/**
 * The file of a {@link DiscoveryModel}: its weights, the task that they have learnt, and what is
 * added to attention, where that is not the usual.
 */
final class DiscoveryFile {

    private static final String TASK = "task";
    private static final String EPS = "eps";

    private DiscoveryFile() {}

    /** As {@link DiscoveryModel#load}. */
    static DiscoveryModel load(
            NDManager manager,
            @Nullable Path file,
            @Nullable DiscoveryTask wanted,
            @Nullable Integer slots)
            throws IOException {
        if (file != null && !Files.isRegularFile(file)) {
            throw new IOException(file + " does not exist, or is not a file");
        }
        String what = file == null ? "the model of these examples" : file.toString();
        try (StateDict weights = file == null ? shipped(wanted) : read(file)) {
            DiscoveryTask task = task(what, weights.metadata().get(TASK));
            if (wanted != null && wanted != task) {
                throw new IOException(what + " is a model of " + task + ", not of " + wanted);
            }
            SlotStart start = task.layout().start();
            DiscoveryModel model =
                    DiscoveryModel.initialized(
                            manager,
                            task,
                            eps(what, weights.metadata()),
                            slots == null ? start : start.withSlots(slots));
            try {
                weights.loadInto(model);
            } catch (IllegalArgumentException e) {
                throw notOfThisProgram(what, e);
            }
            ModelFile.requireFinite(weights, what);
            return model;
        }
    }

    private static StateDict read(Path file) throws IOException {
        try {
            return StateDict.read(file);
        } catch (IllegalArgumentException e) {
            throw notOfThisProgram(file.toString(), e);
        }
    }

    private static IOException notOfThisProgram(String what, IllegalArgumentException e) {
        return new IOException(what + " is not of this program: " + e.getMessage(), e);
    }

    private static StateDict shipped(@Nullable DiscoveryTask wanted) throws IOException {
        DiscoveryTask task = wanted == null ? DiscoveryTask.TETROMINOES : wanted;
        return ShippedWeights.read(ObjectDiscovery.class, task.fileName());
    }

    /** A file that does not say is of Tetrominoes: there was nothing else once. */
    private static DiscoveryTask task(String what, @Nullable String name) throws IOException {
        return name == null
                ? DiscoveryTask.TETROMINOES
                : Arrays.stream(DiscoveryTask.values())
                        .filter(task -> task.toString().equals(name))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        notOfThisProgram(
                                                what,
                                                new IllegalArgumentException(
                                                        "it is a model of " + name)));
    }

    /**
     * What is added to attention. A file that does not say was trained when there was one alone.
     *
     * @throws IllegalArgumentException if what it says is no such number
     */
    static double eps(Map<String, String> metadata) {
        String text = metadata.get(EPS);
        try {
            double eps = text == null ? DiscoveryModel.EPS : Double.parseDouble(text);
            if (eps > 0 && eps <= 1) {
                return eps;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException("its eps is " + text);
    }

    private static double eps(String what, Map<String, String> metadata) throws IOException {
        try {
            return eps(metadata);
        } catch (IllegalArgumentException e) {
            throw notOfThisProgram(what, e);
        }
    }

    /** What a file says of the attention; nothing where it is the usual. */
    static Map<String, String> told(double eps) {
        return eps == DiscoveryModel.EPS ? Map.of() : Map.of(EPS, Double.toString(eps));
    }

    /** Writes a model to a path that ends in ".safetensors". */
    static void write(Path file, DiscoveryModel model) throws IOException {
        Map<String, String> told = new TreeMap<>(model.told());
        told.put(TASK, model.task().toString());
        StateDict.of(model).withMetadata(told).write(file);
    }
}
