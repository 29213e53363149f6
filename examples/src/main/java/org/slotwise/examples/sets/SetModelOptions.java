package org.slotwise.examples.sets;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What evaluating and showing a {@link PropertyModel} have in common. */
final class SetModelOptions {

    static final int MAX_ITERATIONS = 100;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description =
                    "A model that \"train\" wrote. Default: one that comes with these examples, for"
                            + " up to 6 objects.")
    private @Nullable Path model;

    @Option(
            names = "--iterations",
            defaultValue = "" + PropertyTraining.ITERATIONS,
            paramLabel = "NUMBER",
            description =
                    "How many iterations of attention, 1 to "
                            + MAX_ITERATIONS
                            + "; training takes "
                            + PropertyTraining.ITERATIONS
                            + " if not told otherwise. Default: ${DEFAULT-VALUE}.")
    private int iterations;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description =
                    "Which scenes, 0 to 2147483647; no training sees them."
                            + " Default: ${DEFAULT-VALUE}.")
    private int dataSeed;

    @Mixin private SetOptions shared;

    @Nullable Path file() {
        return model;
    }

    /** Reads the model. */
    PropertyModel load(NDManager manager) throws IOException {
        return PropertyModel.load(manager, model, slots(), iterations);
    }

    int iterations() {
        return iterations;
    }

    int slots() {
        return shared.slots();
    }

    PropertyScenes scenes(int count) {
        return new PropertyScenes(dataSeed, count, shared.maxObjects());
    }

    void check(CommandSpec spec) {
        shared.check(spec);
        Program.require(
                spec,
                iterations >= 1 && iterations <= MAX_ITERATIONS,
                "--iterations must be 1 to " + MAX_ITERATIONS,
                iterations);
        Program.requireRange(spec, "--data-seed", dataSeed, 0, Integer.MAX_VALUE);
    }
}
