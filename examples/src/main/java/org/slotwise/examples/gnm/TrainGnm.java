package org.slotwise.examples.gnm;

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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command "train" of {@link ExplainScenes}. */
@Command(
        name = "train",
        description = {
            "Trains a small model on pictures alone, generated ones or your own. Prints the loss, and"
                    + " on pictures held out the error of the pictures drawn again, in which share of"
                    + " them as many objects were found as there are, and how many were found.",
            ""
        },
        sortOptions = false)
final class TrainGnm implements Callable<Integer> {

    private static final int MAX_STEPS = 5_000_000;
    private static final int MAX_SCENES = 1_000_000;
    private static final int MAX_THREADS = 256;

    @Option(
            names = "--images",
            paramLabel = "FOLDER",
            description =
                    "A folder of pictures of your own, cut to squares and scaled. Default: generated"
                            + " scenes.")
    private @Nullable Path images;

    @Option(
            names = "--size",
            defaultValue = "32",
            paramLabel = "PIXELS",
            description =
                    "Height and width of pictures of your own: 32, 64 or 128. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int size;

    @Option(
            names = "--scenes",
            defaultValue = "8000",
            paramLabel = "NUMBER",
            description = "How many scenes are generated. Default: ${DEFAULT-VALUE}.")
    private int scenes;

    @Option(
            names = "--steps",
            defaultValue = "12000",
            paramLabel = "NUMBER",
            description = "How many steps are taken. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--recipe",
            defaultValue = "likely",
            paramLabel = "NAME",
            description =
                    "\"likely\": objects are likely at first, for thousands of steps; \"published\":"
                            + " for hundreds of thousands. Default: ${DEFAULT-VALUE}.")
    private String recipe;

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
            defaultValue = GnmModel.FILE,
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
                    "Where loss, its terms, norm of the gradients and scores of the steps are"
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
        LearntScenes pictures = LearntScenes.of(images, size, scenes, seed);
        GnmRun run = new GnmRun(pictures.name(), size, recipe(), steps, seed);
        try (GnmTraining training = new GnmTraining(run, pictures)) {
            if (resume && checkpoint != null) {
                training.resume(checkpoint);
            }
            try (TrainingLog file = new TrainingLog(out, log, resume)) {
                PrintWriter both = new PrintWriter(file, true);
                training.train(
                        both, new GnmTraining.Traces(checkpoint, checkpointEvery, history, report));
                GnmModel.write(training.gnm(), output);
                both.printf("Model: %s%n", output);
                both.flush();
            }
        }
        return ExitCode.OK;
    }

    private GnmRecipe recipe() {
        for (GnmRecipe known : GnmRecipe.values()) {
            if (known.toString().equals(recipe)) {
                return known;
            }
        }
        throw new IllegalStateException(recipe);
    }

    private void check() throws IOException {
        Program.require(
                spec,
                size == 32 || size == 64 || size == 128,
                "--size must be 32, 64 or 128",
                Integer.toString(size));
        Program.require(
                spec,
                "likely".equals(recipe) || "published".equals(recipe),
                "--recipe must be likely or published",
                recipe);
        if (images == null) {
            Program.require(
                    spec,
                    size == CountedScenes.SIDE,
                    "--size is for pictures of your own; generated scenes are "
                            + (CountedScenes.SIDE + " x " + CountedScenes.SIDE),
                    Integer.toString(size));
        }
        Program.refuseBeside(spec, "--images", "--scenes");
        Program.requireRange(spec, "--scenes", scenes, 1, MAX_SCENES);
        Program.requireRange(spec, "--steps", steps, 1, MAX_STEPS);
        Program.requireRange(spec, "--report", report, 1, MAX_STEPS);
        Program.requireRange(spec, "--checkpoint-every", checkpointEvery, 1, MAX_STEPS);
        Program.requireRange(spec, "--threads", threads, 1, MAX_THREADS);
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        Program.requireSafetensors(spec, "--output", output);
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
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
