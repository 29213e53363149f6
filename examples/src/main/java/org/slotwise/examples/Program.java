package org.slotwise.examples;

import ai.djl.TrainingDivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** How the programs of this package start, and how they fail: one line, never a stack trace. */
final class Program {

    private Program() {}

    /**
     * Makes a command ready to run, without a screen and without a network.
     *
     * @param command an object with picocli's annotations
     * @return the command
     */
    static CommandLine of(Object command) {
        setDefault("java.awt.headless", "true");
        setDefault("ai.djl.offline", "true");
        // Arrays are small here: more threads gain little, and cost much where processors are busy.
        setDefault("ai.djl.pytorch.num_threads", "1");
        return new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(
                        (e, args) -> complain(e.getCommandLine(), e, ExitCode.USAGE))
                .setExecutionExceptionHandler(
                        (e, line, parsed) -> complain(line, e, ExitCode.SOFTWARE));
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /**
     * Runs a command.
     *
     * @param command the command
     * @param args its options
     * @return the exit code: 0, or 1 if it failed, or 2 if an option is wrong
     */
    static int run(CommandLine command, String... args) {
        try {
            return command.execute(args);
        } catch (LinkageError | OutOfMemoryError e) {
            return complain(command, e, ExitCode.SOFTWARE);
        }
    }

    /**
     * Refuses an option's value.
     *
     * @param spec the command
     * @param condition whether the value is right
     * @param expected what it must be: "--steps must be 1 to 10"
     * @param got what it is
     */
    static void require(CommandSpec spec, boolean condition, String expected, Object got) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), expected + ", got " + got);
        }
    }

    /** Refuses an {@code --output} that is no name of a PNG file. */
    static void requirePng(CommandSpec spec, Path output) {
        require(
                spec,
                output.toString().toLowerCase(Locale.ROOT).endsWith(".png"),
                "--output must end in .png",
                output);
    }

    /** Refuses a name that is none of a file of weights. */
    static void requireSafetensors(CommandSpec spec, String option, Path file) {
        require(
                spec,
                file.toString().endsWith(".safetensors"),
                option + " must end in .safetensors",
                file);
    }

    private static int complain(CommandLine command, Throwable e, int exitCode) {
        PrintWriter err = command.getErr();
        err.println("error: " + message(e));
        if (exitCode == ExitCode.USAGE) {
            err.println("--help lists the options.");
        }
        err.flush();
        return exitCode;
    }

    private static String message(Throwable e) {
        if (e instanceof ParameterException
                || e instanceof IOException
                || e instanceof TrainingDivergedException) {
            return e.getMessage();
        }
        return e.getCause() == null ? e.toString() : e + ", because of " + e.getCause();
    }
}
