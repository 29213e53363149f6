package org.slotwise.examples.shared;

import picocli.CommandLine.Option;

/** The {@code --help} of a program that consists of commands. */
public final class HelpOfAllOption {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this; each command has its own.")
    private boolean help;
}
