package org.slotwise.benchmark;

import ai.djl.Device;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.training.HostMemory;

/** A Python program that answers a line of JSON with another. */
final class Python implements AutoCloseable {

    private static final Path FOLDER = Path.of("src/benchmark/python");

    private static volatile boolean keepsMemory;

    private final Process process;
    private final Writer requests;
    private final BufferedReader answers;

    /** Starts a program of {@code src/benchmark/python}, with variables in its environment. */
    Python(String interpreter, String program, Map<String, String> environment) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(interpreter, "-B", FOLDER.resolve(program).toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        if (keepsMemory) {
            builder.environment().putAll(HostMemory.environment());
        }
        process = builder.start();
        // A pass may take long: do not leave it running if this process is stopped.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        requests = process.outputWriter();
        answers = process.inputReader();
    }

    /** Makes every program that is started from now on keep what it frees. */
    static void keepMemory() {
        keepsMemory = true;
    }

    /** What PyTorch calls a device. */
    static String name(Device device) {
        return device.isGpu() ? "cuda" : "cpu";
    }

    /** What is to be asked. */
    static JsonObject request(String what) {
        JsonObject request = new JsonObject();
        request.addProperty("do", what);
        return request;
    }

    JsonObject ask(JsonObject request) {
        try {
            requests.write(request + "\n");
            requests.flush();
            String line = answers.readLine();
            if (line == null) {
                throw new IllegalStateException("Python has ended");
            }
            JsonObject answer = JsonParser.parseString(line).getAsJsonObject();
            if (answer.has("error")) {
                throw new IllegalStateException("Python: " + answer.get("error").getAsString());
            }
            return answer;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The end of its input ends the process. */
    @Override
    public void close() throws IOException {
        requests.close();
    }
}
