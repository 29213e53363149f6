package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.WrittenFiles;
import org.slotwise.training.Checkpoint;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What a training writes while it runs. */
final class TraceOptions {

    @Option(
            names = "--report",
            defaultValue = "100",
            paramLabel = "NUMBER",
            description = "After how many steps progress is told. Default: ${DEFAULT-VALUE}.")
    private int report;

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE",
            description =
                    "Where the state of the training is kept, for --resume: a safetensors file."
                            + " Default: nowhere.")
    private @Nullable Path checkpoint;

    @Option(
            names = "--checkpoint-every",
            defaultValue = "100",
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
                    "Where loss, norm of the gradients, learning rate and scores are written at"
                            + " each report, as CSV. Default: nowhere.")
    private @Nullable Path history;

    @Option(
            names = "--tensorboard",
            paramLabel = "FOLDER",
            description = "The same for TensorBoard: a folder for this training. Default: nowhere.")
    private @Nullable Path tensorBoard;

    @Option(
            names = "--log",
            paramLabel = "FILE",
            description = "Where what is printed is written as well. Default: nowhere.")
    private @Nullable Path log;

    int report() {
        return report;
    }

    @Nullable Path checkpoint() {
        return checkpoint;
    }

    int checkpointEvery() {
        return checkpointEvery;
    }

    boolean resumes() {
        return resume;
    }

    @Nullable Path log() {
        return log;
    }

    /** The histories, which the training opens when it begins. */
    Histories histories() throws IOException {
        long after = 0;
        if (resume && checkpoint != null) {
            try (Checkpoint last = Checkpoint.read(checkpoint)) {
                after = last.step();
            }
        }
        return new Histories(history, tensorBoard, resume, after);
    }

    /**
     * Finds out what stands in the way.
     *
     * @param out the model's folder, which is replaced as a whole
     */
    void check(CommandSpec spec, Path out) throws IOException {
        Program.require(spec, report >= 1, "--report must be at least 1", report);
        Program.require(
                spec,
                checkpointEvery >= 1,
                "--checkpoint-every must be at least 1",
                checkpointEvery);
        Program.refuseWithout(spec, "--checkpoint", "--resume", "--checkpoint-every");
        if (checkpoint != null) {
            Program.requireSafetensors(spec, "--checkpoint", checkpoint);
        }
        new WrittenFiles()
                .and("--checkpoint", checkpoint)
                .and("--history", history)
                .and("--log", log)
                .andFolder("--tensorboard", tensorBoard)
                .check(spec);
        outside(spec, out, "--checkpoint", checkpoint);
        outside(spec, out, "--history", history);
        outside(spec, out, "--log", log);
        outside(spec, out, "--tensorboard", tensorBoard);
        if (checkpoint != null && resume != Files.exists(checkpoint)) {
            throw new IOException(
                    checkpoint
                            + (resume
                                    ? " does not exist: there is nothing to go on from"
                                    : " exists: --resume goes on from it; delete it to start"
                                            + " anew"));
        }
        if (history != null && !resume && Files.exists(history)) {
            throw new IOException(history + " exists: it is a history that is not overwritten");
        }
    }

    private static void outside(CommandSpec spec, Path out, String option, @Nullable Path written) {
        if (written != null) {
            Program.require(
                    spec,
                    !place(written).startsWith(place(out)),
                    option + " must not lie in --out, whose content is replaced",
                    written);
        }
    }

    private static Path place(Path path) {
        return path.toAbsolutePath().normalize();
    }
}
