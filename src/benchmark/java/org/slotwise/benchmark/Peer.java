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
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.weights.StateDict;

/** A Python process that makes a pass when it is asked to, and tells how long it took. */
final class Peer implements AutoCloseable {

    private final Python process;
    private final Device device;
    private final Path numbers;
    private final Path results;

    /** Starts a program that answers as {@code serving.py} says. */
    Peer(String python, String program, Device device, Map<String, String> environment)
            throws IOException {
        this.device = device;
        process = new Python(python, program, environment);
        numbers = Files.createTempFile("numbers", ".npz");
        results = Files.createTempFile("results", ".npz");
    }

    /** Null without Python. */
    static @Nullable Peer of(Arguments arguments, String program) throws IOException {
        String python = arguments.get("python");
        return python == null ? null : new Peer(python, program, arguments.device(), Map.of());
    }

    /**
     * Hands something over that is to be computed.
     *
     * @param request what it is
     * @param arrays its parameters and inputs
     * @return the names of the ways in which Python computes it
     */
    List<String> load(JsonObject request, int threads, Map<String, NDArray> arrays)
            throws IOException {
        StateDict.of(arrays).write(numbers);
        JsonObject load = request.deepCopy();
        load.addProperty("do", "load");
        load.addProperty("file", numbers.toString());
        load.addProperty("threads", threads);
        load.addProperty("device", Python.name(device));
        List<String> names = new ArrayList<>();
        for (JsonElement who : process.ask(load).getAsJsonArray("who")) {
            names.add(who.getAsString());
        }
        return names;
    }

    /** The same for what has one set of inputs; gives the ways. */
    List<Contender> contenders(JsonObject request, int threads, Map<String, NDArray> arrays)
            throws IOException {
        return load(request, threads, arrays).stream().map(this::contender).toList();
    }

    /** The same for a whole model. */
    List<ModelWay> ways(WholeModel model, WholeModel.Compared compared, int threads)
            throws IOException {
        JsonObject request = model.request();
        request.addProperty("predicted", compared.predicted());
        request.addProperty("trained", compared.trained());
        return load(request, threads, model.numbers()).stream().map(this::way).toList();
    }

    /** Parameters as the Python side reads them; inputs go beside them. */
    static Map<String, NDArray> parameters(Map<String, NDArray> arrays) {
        Map<String, NDArray> numbers = new LinkedHashMap<>();
        arrays.forEach((name, array) -> numbers.put("parameters." + name, array));
        return numbers;
    }

    /**
     * The peak of a training step by one way, alone in a process that ends afterwards: {@link
     * #peak}.
     */
    static double peakOfStep(
            Arguments arguments,
            String program,
            JsonObject request,
            int threads,
            Map<String, NDArray> numbers,
            String who)
            throws IOException {
        try (Peer peer = Objects.requireNonNull(of(arguments, program), "--python")) {
            peer.load(request, threads, numbers);
            return peer.peak(who, true);
        }
    }

    /**
     * The peak of a pass beyond what was resident, in megabytes, after three passes.
     *
     * @param who makes it
     */
    double peak(String who, boolean training) {
        for (int i = 0; i < 3; i++) {
            pass("run", who, null, training);
        }
        return pass("peak", who, null, training).get("mb").getAsDouble();
    }

    private JsonObject pass(String what, String who, @Nullable String inputs, boolean training) {
        JsonObject request = Python.request(what);
        request.addProperty("who", who);
        request.addProperty("training", training);
        if (inputs != null) {
            request.addProperty("inputs", inputs);
        }
        return process.ask(request);
    }

    private ModelWay way(String who) {
        return new ModelWay() {
            @Override
            public String name() {
                return who;
            }

            @Override
            public double run(String inputs, boolean training) {
                return pass("run", who, inputs, training).get("ms").getAsDouble();
            }

            @Override
            public double peak(String inputs, boolean training) {
                return pass("peak", who, inputs, training).get("mb").getAsDouble();
            }

            @Override
            public Map<String, float[]> results() {
                return Peer.this.results(who);
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
                return pass("run", who, null, training).get("ms").getAsDouble();
            }

            @Override
            public Map<String, float[]> results() {
                return Peer.this.results(who);
            }
        };
    }

    private Map<String, float[]> results(String who) {
        JsonObject request = Python.request("results");
        request.addProperty("who", who);
        request.addProperty("file", results.toString());
        process.ask(request);
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
