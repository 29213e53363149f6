package org.slotwise.examples.pictures;

import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which scenes are generated, where none are learnt from. */
final class DataSeedOption {

    private static final String NAME = "--data-seed";

    @Option(
            names = NAME,
            defaultValue = "4242",
            paramLabel = "NUMBER",
            description =
                    "Which scenes are generated, "
                            + Program.DATA_SEEDS
                            + "; no training sees them. Default: ${DEFAULT-VALUE}.")
    private long seed;

    void check(CommandSpec spec) {
        Program.requireDataSeed(spec, seed);
        Program.refuseBeside(spec, "--images", NAME);
    }

    long seed() {
        return seed;
    }
}
