package org.slotwise.examples.shared;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What trainings have in common: what they start from, and what they write while they run. */
public final class TrainingOptions {

    private static final int MAX_THREADS = 256;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "NUMBER",
            description =
                    "What weights, pictures and all random choices start from. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int seed;

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
                    "Where losses, norm of the gradients and scores of the steps are written, as"
                            + " CSV. Default: nowhere.")
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

    /**
     * What a training does once it may.
     *
     * @param <E> what it throws beside errors of files
     */
    @FunctionalInterface
    public interface Work<E extends Exception> {
        /**
         * Trains, and writes the model.
         *
         * @param out where progress is told
         * @throws IOException if something cannot be read or written
         * @throws E if it fails otherwise
         */
        void run(PrintWriter out) throws IOException, E;
    }

    /** What a training goes on from. */
    @FunctionalInterface
    public interface Resumption {
        /**
         * Takes up the state of a checkpoint.
         *
         * @param file the checkpoint
         * @throws IOException if it cannot be read, or is one of another training
         */
        void resume(Path file) throws IOException;
    }

    /**
     * What weights, pictures and random choices start from.
     *
     * @return the seed
     */
    public int seed() {
        return seed;
    }

    /**
     * The file of the checkpoint.
     *
     * @return null for none
     */
    public @Nullable Path checkpoint() {
        return checkpoint;
    }

    /**
     * After how many steps the checkpoint is written.
     *
     * @return at least 1
     */
    public int checkpointEvery() {
        return checkpointEvery;
    }

    /**
     * The file of the history.
     *
     * @return null for none
     */
    public @Nullable Path history() {
        return history;
    }

    /**
     * The file of the log.
     *
     * @return null for none
     */
    public @Nullable Path log() {
        return log;
    }

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @param spec the command
     * @param files what it writes beside what these options name
     * @throws IOException if a file cannot be written, with a message for the user
     */
    public void check(CommandSpec spec, WrittenFiles files) throws IOException {
        Program.require(
                spec,
                checkpointEvery >= 1,
                "--checkpoint-every must be at least 1",
                checkpointEvery);
        Program.requireRange(spec, "--threads", threads, 1, MAX_THREADS);
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
        files.and("--checkpoint", checkpoint)
                .and("--history", history)
                .and("--log", log)
                .check(spec);
        if (checkpoint != null && !resume && Files.exists(checkpoint)) {
            throw new IOException(
                    checkpoint + " exists: --resume goes on from it; delete it to start anew");
        }
    }

    /** Gives the engine its threads, before a training is made. */
    public void startEngine() {
        Engine.getInstance(); // loads what the next line calls
        JniUtils.setNumThreads(threads);
    }

    /**
     * Goes on from the checkpoint, if that is wanted, and trains; all that is printed goes to the
     * log too.
     *
     * @param spec the command
     * @param model where the model goes, which is told at the end
     * @param resumption takes up the checkpoint
     * @param work trains, and writes the model
     * @param <E> what it throws beside errors of files
     * @throws IOException if something cannot be read or written
     * @throws E if the work fails otherwise
     */
    public <E extends Exception> void run(
            CommandSpec spec, Path model, Resumption resumption, Work<E> work)
            throws IOException, E {
        if (resume && checkpoint != null) {
            resumption.resume(checkpoint);
        }
        PrintWriter out = spec.commandLine().getOut();
        try (TrainingLog file = new TrainingLog(out, log, resume)) {
            PrintWriter both = new PrintWriter(file, true);
            work.run(both);
            both.printf("Model: %s%n", model);
            both.flush();
        }
    }
}
