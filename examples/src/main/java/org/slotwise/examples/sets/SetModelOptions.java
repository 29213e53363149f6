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
            paramLabel = "NUMBER",
            description =
                    "How many iterations of the grouping, 1 to "
                            + MAX_ITERATIONS
                            + ". Default: as many as the model learnt with.")
    private @Nullable Integer iterations;

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

    int slots() {
        return shared.slots();
    }

    PropertyScenes scenes(int count) {
        return new PropertyScenes(dataSeed, count, shared.maxObjects());
    }

    void check(CommandSpec spec) {
        shared.check(spec);
        if (iterations != null) {
            Program.requireRange(spec, "--iterations", iterations, 1, MAX_ITERATIONS);
        }
        Program.requireRange(spec, "--data-seed", dataSeed, 0, Integer.MAX_VALUE);
    }
}
