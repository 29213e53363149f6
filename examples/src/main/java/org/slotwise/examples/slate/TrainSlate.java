package org.slotwise.examples.slate;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.TrainingLog;
import org.slotwise.examples.shared.WrittenFiles;
import org.slotwise.weights.StateDict;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link ComposePictures}. */
@Command(
        name = "train",
        description = {
            "Trains a model on pictures alone, generated ones or your own: first the auto-encoder"
                    + " that makes tokens of pictures, then slots and transformer, on tokens that"
                    + " are kept. Prints the loss, and on pictures held out the error of the"
                    + " auto-encoder, then the cross entropy of tokens with a picture's own slots"
                    + " and with another picture's, and how well the slots' attention tells objects"
                    + " apart (FG-ARI), with the background (ARI).",
            ""
        },
        sortOptions = false)
final class TrainSlate implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_THREADS = 256;

    @Mixin private SlateSizes sizes;

    @Option(
            names = "--dvae-steps",
            defaultValue = "1500",
            paramLabel = "NUMBER",
            description = "How many steps the auto-encoder takes. Default: ${DEFAULT-VALUE}.")
    private int dvaeSteps;

    @Option(
            names = "--dvae",
            paramLabel = "FILE",
            description =
                    "A model whose auto-encoder is taken as it is, instead of training one. Default:"
                            + " none.")
    private @Nullable Path dvae;

    @Option(
            names = "--steps",
            defaultValue = "13000",
            paramLabel = "NUMBER",
            description =
                    "How many steps slots and transformer take after that. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--tokens",
            paramLabel = "FILE",
            description =
                    "Where the pictures' tokens are kept, a safetensors file; those of the same"
                            + " auto-encoder and pictures are read from it. Default: nowhere.")
    private @Nullable Path tokens;

    @Option(
            names = "--learning-rate",
            defaultValue = "1e-3",
            paramLabel = "RATE",
            description = "The highest one of slots and transformer. Default: ${DEFAULT-VALUE}.")
    private double learningRate;

    @Option(
            names = "--halve-after",
            paramLabel = "REPORTS",
            description =
                    "Halves the learning rate after so many reports without a better cross entropy."
                            + " Default: never.")
    private @Nullable Integer halveAfter;

    @Option(
            names = "--report",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, pictures and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

    @Option(
            names = "--output",
            defaultValue = SlateModel.FILE,
            paramLabel = "FILE",
            description = "Where the model goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE",
            description =
                    "Where the state of the training is kept, for --resume: a safetensors file."
                            + " Default: nowhere.")
    private @Nullable Path checkpoint;

    @Option(
            names = "--checkpoint-every",
            defaultValue = "500",
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
                    "Where losses, norm of the gradients, learning rate and scores of the steps are"
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
    public Integer call() throws IOException {
        check();
        Engine.getInstance(); // loads what the next line calls
        JniUtils.setNumThreads(threads);
        PrintWriter out = spec.commandLine().getOut();
        TrainingPictures pictures = sizes.pictures(seed);
        try (NDManager manager = NDManager.newBaseManager();
                SlateTraining training = training(pictures, given(manager))) {
            if (resume && checkpoint != null) {
                training.resume(checkpoint);
            }
            try (TrainingLog file = new TrainingLog(out, log, resume)) {
                PrintWriter both = new PrintWriter(file, true);
                training.train(
                        both,
                        new SlateTraining.Traces(tokens, checkpoint, checkpointEvery, history));
                SlateModel.write(training.slate(), output);
                both.printf("Model: %s%n", output);
                both.flush();
            }
        }
        return ExitCode.OK;
    }

    private @Nullable StateDict given(NDManager manager) throws IOException {
        return dvae == null ? null : StateDict.of(SlateModel.load(manager, dvae).dvae());
    }

    private SlateTraining training(TrainingPictures pictures, @Nullable StateDict given)
            throws IOException {
        SlateRun run =
                new SlateRun(
                        pictures.name(),
                        sizes.configuration(),
                        given == null ? dvaeSteps : 0,
                        steps,
                        learningRate,
                        halveAfter == null ? 0 : halveAfter,
                        report,
                        given == null ? "" : Checksum.of(given),
                        seed);
        try {
            return new SlateTraining(run, pictures, given);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    dvae + " has an auto-encoder of another size: " + e.getMessage(), e);
        }
    }

    private void check() throws IOException {
        sizes.check(spec);
        Program.requireRange(spec, "--dvae-steps", dvaeSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        if (halveAfter != null) {
            Program.requireRange(spec, "--halve-after", halveAfter, 1, MAX_STEPS);
        }
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.requireRange(spec, "--checkpoint-every", checkpointEvery, 1, MAX_STEPS);
        Program.requireRange(spec, "--threads", threads, 1, MAX_THREADS);
        Program.require(
                spec,
                learningRate > 0 && learningRate <= 1,
                "--learning-rate must be above 0 and at most 1",
                learningRate);
        Program.refuseBeside(spec, "--dvae", "--dvae-steps");
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        Program.requireSafetensors(spec, "--output", output);
        if (tokens != null) {
            Program.requireSafetensors(spec, "--tokens", tokens);
        }
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
        new WrittenFiles()
                .and("--output", output)
                .and("--tokens", tokens)
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
