package org.slotwise.examples.shared;

import picocli.CommandLine.Option;

/** The {@code --help} of every program. */
public final class HelpOption {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this.")
    private boolean help;
}
