package org.slotwise.examples.discover;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.examples.shared.Program;
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
                            + "; models were trained with 5. Default: 10 for tetrominoes, 5 for"
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
                    "Which scenes, "
                            + Program.DATA_SEEDS
                            + "; no training sees them. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Nullable Path model() {
        return model;
    }

    /** The model that is asked for. */
    DiscoveryModel load(CommandSpec spec, NDManager manager) throws IOException {
        try {
            return DiscoveryModel.load(manager, model, task, slots);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--slots: " + e.getMessage(), e);
        } catch (IOException e) {
            throw ModelFile.explained(Maker.DISCOVER, model, e);
        }
    }

    int iterations(DiscoveryTask learnt) {
        return iterations == null ? learnt.recipe().testIterations() : iterations;
    }

    long dataSeed() {
        return dataSeed;
    }

    void check(CommandSpec spec) {
        if (slots != null) {
            Program.requireRange(spec, "--slots", slots, 1, MAX_SLOTS);
        }
        if (iterations != null) {
            Program.requireRange(spec, "--iterations", iterations, 1, MAX_ITERATIONS);
        }
        Program.requireDataSeed(spec, dataSeed);
    }
}
