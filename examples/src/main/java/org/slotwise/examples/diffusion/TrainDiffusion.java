package org.slotwise.examples.diffusion;

import ai.djl.engine.Engine;
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
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link DiffuseSlots}. */
@Command(
        name = "train",
        description = {
            "Trains a model on pictures alone, generated ones or your own: first encoder and slots,"
                    + " with a decoder that mixes pictures of slots; then an autoencoder; then the"
                    + " denoiser, told slots that no longer change. Prints the loss, and on pictures"
                    + " held out how well masks tell objects apart (FG-ARI), with the background"
                    + " (ARI), errors of pictures made again, and the denoiser's loss with a"
                    + " picture's own slots and with another picture's.",
            ""
        },
        sortOptions = false)
final class TrainDiffusion implements Callable<Integer> {

    private static final int MAX_STEPS = 1_000_000;
    private static final int MAX_THREADS = 256;

    @Mixin private DiffusionSizes sizes;

    @Option(
            names = "--slot-steps",
            defaultValue = "2500",
            paramLabel = "NUMBER",
            description = "How many steps encoder and slots take. Default: ${DEFAULT-VALUE}.")
    private int slotSteps;

    @Option(
            names = "--autoencoder-steps",
            defaultValue = "1000",
            paramLabel = "NUMBER",
            description = "How many steps the autoencoder takes. Default: ${DEFAULT-VALUE}.")
    private int codeSteps;

    @Option(
            names = "--steps",
            defaultValue = "5000",
            paramLabel = "NUMBER",
            description = "How many steps the denoiser takes. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--report",
            defaultValue = "500",
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
            defaultValue = DiffusionModel.FILE,
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
        DiffusionPictures pictures = sizes.pictures(seed);
        DiffusionRun run =
                new DiffusionRun(
                        pictures.name(),
                        sizes.configuration(),
                        slotSteps,
                        sizes.learnsAutoencoder() ? codeSteps : 0,
                        steps,
                        seed);
        try (DiffusionTraining training = new DiffusionTraining(run, pictures)) {
            if (resume && checkpoint != null) {
                training.resume(checkpoint);
            }
            try (TrainingLog file = new TrainingLog(out, log, resume)) {
                PrintWriter both = new PrintWriter(file, true);
                training.train(
                        both,
                        new DiffusionTraining.Traces(checkpoint, checkpointEvery, history, report));
                training.write(output);
                both.printf("Model: %s%n", output);
                both.flush();
            }
        }
        return ExitCode.OK;
    }

    private void check() throws IOException {
        sizes.check(spec);
        Program.requireRange(spec, "--slot-steps", slotSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--autoencoder-steps", codeSteps, 1, MAX_STEPS);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.requireRange(spec, "--checkpoint-every", checkpointEvery, 1, MAX_STEPS);
        Program.requireRange(spec, "--threads", threads, 1, MAX_THREADS);
        Program.require(
                spec,
                sizes.learnsAutoencoder() || !Program.isGiven(spec, "--autoencoder-steps"),
                "--autoencoder-steps needs --latents AUTOENCODER",
                "PIXELS");
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        Program.requireSafetensors(spec, "--output", output);
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
        sizes.refuseAmongPictures(spec, "--output", output);
        sizes.refuseAmongPictures(spec, "--checkpoint", checkpoint);
        sizes.refuseAmongPictures(spec, "--history", history);
        sizes.refuseAmongPictures(spec, "--log", log);
        new WrittenFiles()
                .and("--output", output)
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
