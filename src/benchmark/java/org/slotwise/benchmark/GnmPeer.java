package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.gnm.GnmTerm;
import org.slotwise.weights.StateDict;

/** GNM in eager PyTorch, {@code gnm_peer.py}: one model at a time. */
final class GnmPeer implements Contender, AutoCloseable {

    private final Python python;

    GnmPeer(String interpreter, Map<String, String> environment) throws IOException {
        python = new Python(interpreter, "gnm_peer.py", environment);
    }

    /** Hands a model with its inputs over. */
    void load(GnmConfiguration sizes, GnmSubject subject, int threads, Device device)
            throws IOException {
        Path file = Files.createTempFile("numbers", ".npz");
        try {
            StateDict.of(subject.numbers()).write(file);
            JsonObject request = Python.request("load");
            request.addProperty("file", file.toString());
            request.addProperty("threads", threads);
            request.addProperty("device", Python.name(device));
            request.add("sizes", new Gson().toJsonTree(sizes));
            GnmSetting setting = subject.setting();
            request.addProperty("temperature", setting.temperature());
            request.addProperty("presence", setting.presencePrior());
            double[] weights = new double[GnmTerm.values().length];
            for (GnmTerm term : GnmTerm.values()) {
                weights[term.column()] = setting.weights().getOrDefault(term, 1.0);
            }
            request.add("weights", new Gson().toJsonTree(weights));
            python.ask(request);
        } finally {
            Files.delete(file);
        }
    }

    @Override
    public String name() {
        return "eager";
    }

    @Override
    public double run(boolean training) {
        return ask("run", training);
    }

    /** The peak of a pass beyond what was resident, in megabytes. */
    double memory(boolean training) {
        return ask("memory", training);
    }

    private double ask(String what, boolean training) {
        JsonObject request = Python.request(what);
        request.addProperty("training", training);
        return python.ask(request).get("value").getAsDouble();
    }

    @Override
    public Map<String, float[]> results() {
        Map<String, float[]> results = new LinkedHashMap<>();
        try {
            Path file = Files.createTempFile("results", ".npz");
            try {
                JsonObject request = Python.request("results");
                request.addProperty("file", file.toString());
                python.ask(request);
                try (StateDict read = StateDict.read(file)) {
                    read.arrays()
                            .forEach(
                                    (name, array) ->
                                            results.put(
                                                    name,
                                                    array.toType(DataType.FLOAT32, false)
                                                            .toFloatArray()));
                }
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return results;
    }

    @Override
    public void close() throws IOException {
        python.close();
    }
}
