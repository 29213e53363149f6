package org.slotwise.examples.edit;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What evaluating and showing a {@link DiscreteModel} have in common. */
final class LatentOptions {

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--data-seed",
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description =
                    "Which scenes, "
                            + Program.DATA_SEEDS
                            + "; no training sees them. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Nullable Path model() {
        return model;
    }

    void check(CommandSpec spec) {
        Program.requireDataSeed(spec, dataSeed);
    }

    long dataSeed() {
        return dataSeed;
    }
}
