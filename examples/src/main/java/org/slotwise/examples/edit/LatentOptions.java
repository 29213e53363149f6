package org.slotwise.examples.edit;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
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
                    "Which scenes: any number from 0 to 2^32 gives ones that no training and no"
                            + " choice has seen. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Nullable Path model() {
        return model;
    }

    long dataSeed() {
        return dataSeed;
    }
}
