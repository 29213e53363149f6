package org.slotwise.examples.discover;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What evaluating and showing a {@link DiscoveryModel} have in common. */
final class DiscoveryOptions {

    private static final int MAX_ITERATIONS = 100;
    private static final int MAX_SLOTS = 100;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "A model that \"train\" wrote. Default: the one of these examples.")
    private @Nullable Path model;

    @Option(
            names = "--data",
            converter = DiscoveryTask.Parser.class,
            paramLabel = "NAME",
            description =
                    "The scenes, tetrominoes or multi-dsprites. Default: those that the model was"
                            + " trained on.")
    private @Nullable DiscoveryTask task;

    @Option(
            names = "--iterations",
            paramLabel = "NUMBER",
            description =
                    "How many iterations of attention, 1 to "
                            + MAX_ITERATIONS
                            + "; models were trained with 5. Default: 7 for tetrominoes, 5 for"
                            + " multi-dsprites.")
    private @Nullable Integer iterations;

    @Option(
            names = "--slots",
            paramLabel = "NUMBER",
            description =
                    "How many slots, 1 to "
                            + MAX_SLOTS
                            + ", where they start from colours. Default: as many as in training.")
    private @Nullable Integer slots;

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

    @Nullable DiscoveryTask task() {
        return task;
    }

    @Nullable Integer slots() {
        return slots;
    }

    int iterations(DiscoveryTask learnt) {
        return iterations == null ? learnt.recipe().testIterations() : iterations;
    }

    long dataSeed() {
        return dataSeed;
    }

    void check(CommandSpec spec) {
        if (slots != null && (slots < 1 || slots > MAX_SLOTS)) {
            throw new ParameterException(
                    spec.commandLine(), "--slots must be 1 to " + MAX_SLOTS + ", got " + slots);
        }
        if (iterations != null && (iterations < 1 || iterations > MAX_ITERATIONS)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--iterations must be 1 to " + MAX_ITERATIONS + ", got " + iterations);
        }
    }
}
