package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.weights.StateDict;

/** A Python process that makes a pass when it is asked to, and tells how long it took. */
final class Peer implements AutoCloseable {

    private final Python process;
    private final Device device;
    private final Path numbers;
    private final Path results;

    Peer(String python, Device device) throws IOException {
        this.device = device;
        process = new Python(python, "peer.py", Map.of());
        numbers = Files.createTempFile("numbers", ".npz");
        results = Files.createTempFile("results", ".npz");
    }

    /** Hands a module with its numbers over; gives the ways in which Python computes it. */
    List<Contender> load(Module module, Size size, int threads, Map<String, NDArray> arrays)
            throws IOException {
        JsonObject request = Python.request("load");
        request.addProperty("module", module.toString());
        request.addProperty("d", size.d());
        request.addProperty("c", size.c());
        request.addProperty("k", size.k());
        request.addProperty("t", size.t());
        List<Contender> contenders = new ArrayList<>();
        for (String who : load(request, threads, arrays)) {
            contenders.add(contender(who));
        }
        return contenders;
    }

    /** Hands a whole model over, and its inputs; gives the names of the ways of Python. */
    List<String> load(ModelSize size, int threads, Map<String, NDArray> arrays) throws IOException {
        JsonObject request = Python.request("load");
        request.addProperty("module", size.toString());
        return load(request, threads, arrays);
    }

    /** The same of a model that comes with the library, with what it was made from. */
    List<String> load(
            String model, JsonObject configuration, int threads, Map<String, NDArray> arrays)
            throws IOException {
        JsonObject request = Python.request("load");
        request.addProperty("module", model);
        request.add("configuration", configuration);
        return load(request, threads, arrays);
    }

    private List<String> load(JsonObject request, int threads, Map<String, NDArray> arrays)
            throws IOException {
        StateDict.of(arrays).write(numbers);
        request.addProperty("file", numbers.toString());
        request.addProperty("threads", threads);
        request.addProperty("device", Python.name(device));
        List<String> names = new ArrayList<>();
        for (JsonElement who : process.ask(request).getAsJsonArray("who")) {
            names.add(who.getAsString());
        }
        return names;
    }

    /** A way to compute a whole model on inputs that were handed over by a name. */
    ModelWay way(String who) {
        return new ModelWay() {
            @Override
            public String name() {
                return who;
            }

            @Override
            public double run(String inputs, boolean training) {
                return pass("run", inputs, training).get("ms").getAsDouble();
            }

            @Override
            public double peak(String inputs, boolean training) {
                return pass("peak", inputs, training).get("mb").getAsDouble();
            }

            private JsonObject pass(String what, String inputs, boolean training) {
                JsonObject request = Python.request(what);
                request.addProperty("who", who);
                request.addProperty("inputs", inputs);
                request.addProperty("training", training);
                return process.ask(request);
            }

            @Override
            public Map<String, float[]> results() {
                return contender(who).results();
            }
        };
    }

    private Contender contender(String who) {
        return new Contender() {
            @Override
            public String name() {
                return who;
            }

            @Override
            public double run(boolean training) {
                JsonObject request = Python.request("run");
                request.addProperty("who", who);
                request.addProperty("training", training);
                return process.ask(request).get("ms").getAsDouble();
            }

            @Override
            public Map<String, float[]> results() {
                JsonObject request = Python.request("results");
                request.addProperty("who", who);
                request.addProperty("file", Peer.this.results.toString());
                process.ask(request);
                return read();
            }
        };
    }

    private Map<String, float[]> read() {
        Map<String, float[]> read = new LinkedHashMap<>();
        try (StateDict file = StateDict.read(results)) {
            file.arrays()
                    .forEach(
                            (name, array) ->
                                    read.put(
                                            name,
                                            array.toType(DataType.FLOAT32, false).toFloatArray()));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return read;
    }

    @Override
    public void close() throws IOException {
        process.close();
        Files.deleteIfExists(numbers);
        Files.deleteIfExists(results);
    }
}
