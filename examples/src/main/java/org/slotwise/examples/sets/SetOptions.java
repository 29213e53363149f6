package org.slotwise.examples.sets;

import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What training, evaluating and showing a {@link PropertyModel} have in common. */
final class SetOptions {

    private static final int MAX_OBJECTS = 10;
    private static final int MAX_SLOTS = 32;
    private static final int MAX_THREADS = 256;

    @Option(
            names = "--max-objects",
            defaultValue = "6",
            paramLabel = "NUMBER",
            description =
                    "How many objects a scene has at most, 1 to "
                            + MAX_OBJECTS
                            + "; at least 3, or that many if it is less. Default:"
                            + " ${DEFAULT-VALUE}.")
    private int maxObjects;

    @Option(
            names = "--slots",
            paramLabel = "K",
            description =
                    "How many slots, from --max-objects to "
                            + MAX_SLOTS
                            + ". Default: one more than --max-objects.")
    private @Nullable Integer slots;

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "NUMBER",
            description =
                    "How many threads PyTorch uses, 1 to "
                            + MAX_THREADS
                            + ". Default: ${DEFAULT-VALUE}.")
    private int threads;

    int maxObjects() {
        return maxObjects;
    }

    int slots() {
        return slots == null ? maxObjects + 1 : slots;
    }

    /** Checks the options, and tells the engine, which has not started yet, of the threads. */
    void check(CommandSpec spec) {
        Program.require(
                spec,
                maxObjects >= 1 && maxObjects <= MAX_OBJECTS,
                "--max-objects must be 1 to " + MAX_OBJECTS,
                maxObjects);
        Program.require(
                spec,
                slots() >= maxObjects && slots() <= MAX_SLOTS,
                "--slots must be " + maxObjects + " to " + MAX_SLOTS,
                slots());
        Program.require(
                spec,
                threads >= 1 && threads <= MAX_THREADS,
                "--threads must be 1 to " + MAX_THREADS,
                threads);
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
    }
}
