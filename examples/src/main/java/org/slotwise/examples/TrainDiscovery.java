package org.slotwise.examples;

import ai.djl.ndarray.NDManager;
import ai.djl.translate.TranslateException;
import java.io.FileWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.weights.StateDict;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command "train" of {@link DiscoverObjects}. */
@Command(
        name = "train",
        description = {
            "Trains a model on generated scenes, of which it sees nothing but the pixels. Prints the"
                    + " loss of the training, and on scenes held out how well objects are told"
                    + " apart (FG-ARI), with the background (ARI), and the error (MSE).",
            ""
        },
        sortOptions = false)
final class TrainDiscovery implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;

    @Option(
            names = "--steps",
            defaultValue = "5000",
            paramLabel = "NUMBER",
            description = "How many steps of 32 scenes. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--report",
            defaultValue = "250",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--learning-rate",
            defaultValue = "1.2e-3",
            paramLabel = "RATE",
            description = "The highest one. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, scenes and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = "tetrominoes.safetensors",
            paramLabel = "FILE",
            description = "Where the model goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--log",
            paramLabel = "FILE",
            description = "Where what is printed is written as well. Default: nowhere.")
    private @Nullable Path log;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this.")
    private boolean help;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() throws IOException, TranslateException {
        require(steps >= 1 && steps <= MAX_STEPS, "--steps must be 1 to " + MAX_STEPS, steps);
        require(report >= 1, "--report must be at least 1", report);
        require(
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        require(
                output.toString().endsWith(".safetensors"),
                "--output must end in .safetensors",
                output);
        requireFolder(output);
        PrintWriter out = spec.commandLine().getOut();
        try (Writer file = log == null ? Writer.nullWriter() : writer(log);
                PrintWriter both = new PrintWriter(new Tee(out, file), true);
                NDManager manager = NDManager.newBaseManager()) {
            DiscoveryModel model =
                    new DiscoveryTraining(steps, report, learningRate, seed).run(manager, both);
            StateDict.of(model).write(output);
            both.printf("Model: %s%n", output);
        }
        return ExitCode.OK;
    }

    private void require(boolean condition, String expected, Object got) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), expected + ", got " + got);
        }
    }

    private static void requireFolder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder, not a file to write to");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException("the folder " + folder + " does not exist");
        }
    }

    private static Writer writer(Path log) throws IOException {
        requireFolder(log);
        return new FileWriter(log.toFile(), StandardCharsets.UTF_8);
    }

    /** Writes to two places. */
    private static final class Tee extends Writer {
        private final Writer first;
        private final Writer second;

        Tee(Writer first, Writer second) {
            this.first = first;
            this.second = second;
        }

        @Override
        public void write(char[] text, int from, int length) throws IOException {
            first.write(text, from, length);
            second.write(text, from, length);
        }

        @Override
        public void flush() throws IOException {
            first.flush();
            second.flush();
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
