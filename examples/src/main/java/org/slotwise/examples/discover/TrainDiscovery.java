package org.slotwise.examples.discover;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingLog;
import org.slotwise.examples.shared.WrittenFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
    private static final int MAX_THREADS = 256;

    @Option(
            names = "--data",
            defaultValue = "tetrominoes",
            converter = DiscoveryTask.Parser.class,
            paramLabel = "NAME",
            description = "The scenes, tetrominoes or multi-dsprites. Default: ${DEFAULT-VALUE}.")
    private DiscoveryTask task;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description =
                    "How many steps of 32 scenes. Default: 5000 for tetrominoes, 6000 for"
                            + " multi-dsprites.")
    private @Nullable Integer steps;

    @Option(
            names = "--report",
            defaultValue = "250",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "The highest one. Default: 1.2e-3.")
    private @Nullable Double learningRate;

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
            paramLabel = "FILE",
            description = "Where the model goes. Default: the name of the data.safetensors.")
    private @Nullable Path output;

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE",
            description =
                    "Where the state of the training is kept, for --resume: a safetensors file."
                            + " Default: nowhere.")
    private @Nullable Path checkpoint;

    @Option(
            names = "--checkpoint-every",
            defaultValue = "250",
            paramLabel = "STEPS",
            description = "After how many steps it is written. Default: ${DEFAULT-VALUE}.")
    private int checkpointEvery;

    @Option(
            names = "--resume",
            description =
                    "Goes on from the checkpoint. The model becomes the same as without an"
                            + " interruption.")
    private boolean resume;

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description =
                    "Where loss, norm of the gradients, learning rate and scores of the steps are"
                            + " written, as CSV. Default: nowhere.")
    private @Nullable Path history;

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "NUMBER",
            description =
                    "How many threads the engine takes, 1 to "
                            + MAX_THREADS
                            + ". With more than one the model differs a little. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int threads;

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
        DiscoveryRecipe recipe = task.recipe();
        int count = steps == null ? recipe.steps() : steps;
        double rate = learningRate == null ? recipe.learningRate() : learningRate;
        Path model = output == null ? Path.of(task.fileName()) : output;
        check(count, rate, model);
        Engine.getInstance(); // loads what the next line calls
        JniUtils.setNumThreads(threads);
        PrintWriter out = spec.commandLine().getOut();
        try (DiscoveryTraining training =
                new DiscoveryTraining(new DiscoveryRun(task, count, rate, seed))) {
            if (resume && checkpoint != null) {
                training.resume(checkpoint);
            }
            try (TrainingLog file = new TrainingLog(out, log, resume)) {
                PrintWriter both = new PrintWriter(file, true);
                training.train(
                        both,
                        new DiscoveryTraining.Traces(report, checkpoint, checkpointEvery, history));
                training.model().write(model);
                both.printf("Model: %s%n", model);
                both.flush();
            }
        }
        return ExitCode.OK;
    }

    private void check(int count, double rate, Path model) throws IOException {
        Program.requireRange(spec, "--steps", count, 1, MAX_STEPS);
        Program.require(spec, report >= 1, "--report must be at least 1", report);
        Program.require(
                spec,
                checkpointEvery >= 1,
                "--checkpoint-every must be at least 1",
                checkpointEvery);
        Program.requireRange(spec, "--threads", threads, 1, MAX_THREADS);
        Program.require(
                spec, rate > 0 && rate <= 1, "--learning-rate must be above 0 and at most 1", rate);
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        Program.requireSafetensors(spec, "--output", model);
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
        new WrittenFiles()
                .and("--output", model)
                .and("--checkpoint", checkpoint)
                .and("--history", history)
                .and("--log", log)
                .check(spec);
        if (checkpoint != null && !resume && Files.exists(checkpoint)) {
            throw new IOException(
                    checkpoint + " exists: --resume goes on from it; delete it to start anew");
        }
    }
}
