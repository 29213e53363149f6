package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.weights.StateDict;

/** A Python process with the same network, which samples and trains when it is asked to. */
final class DenoiserPeer implements AutoCloseable {

    private final Process process;
    private final BufferedReader answers;
    private final Writer requests;
    private final Path results;

    DenoiserPeer(String python, JsonObject options, Map<String, NDArray> arrays)
            throws IOException {
        Path numbers = Files.createTempFile("denoiser", ".npz");
        results = Files.createTempFile("denoiser-results", ".npz");
        StateDict.of(arrays).write(numbers);
        process =
                new ProcessBuilder(
                                python,
                                "-B",
                                "src/benchmark/python/denoiser_peer.py",
                                options.toString(),
                                numbers.toString(),
                                results.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        answers = process.inputReader();
        requests = process.outputWriter();
        String ready = answers.readLine();
        Files.delete(numbers);
        if (!"ready".equals(ready)) {
            throw new IOException("Python has ended");
        }
    }

    /** Prediction, samples and gradients, once. */
    StateDict results() throws IOException {
        StateDict read = StateDict.read(results);
        Files.delete(results);
        return read;
    }

    /** What it answers to a request. */
    String ask(String request) {
        try {
            requests.write(request + "\n");
            requests.flush();
            return answers.readLine();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        requests.close();
    }
}
