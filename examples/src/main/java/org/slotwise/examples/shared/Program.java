package org.slotwise.examples.shared;

import ai.djl.TrainingDivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** How programs start, and how they fail: one line, never a stack trace. */
public final class Program {

    private Program() {}

    /**
     * Makes a command ready to run, without a screen and without a network.
     *
     * @param command an object with picocli's annotations, or its {@link CommandSpec}
     * @return the command
     */
    public static CommandLine of(Object command) {
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
    public static int run(CommandLine command, String... args) {
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
    public static void require(CommandSpec spec, boolean condition, String expected, Object got) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), expected + ", got " + got);
        }
    }

    /** Refuses an {@code --output} that is no name of a PNG file. */
    public static void requirePng(CommandSpec spec, Path output) {
        require(
                spec,
                output.toString().toLowerCase(Locale.ROOT).endsWith(".png"),
                "--output must end in .png",
                output);
    }

    /** Refuses a name that is none of a file of weights. */
    public static void requireSafetensors(CommandSpec spec, String option, Path file) {
        require(
                spec,
                file.toString().endsWith(".safetensors"),
                option + " must end in .safetensors",
                file);
    }

    /**
     * Refuses a command that only makes sense with another one after it.
     *
     * @param spec the command
     * @return what is to be thrown; it says which commands there are, and how to type one
     */
    public static ParameterException commandMissing(CommandSpec spec) {
        List<String> names = commands(spec);
        String example = spec.qualifiedName() + " " + names.get(names.size() - 1);
        return new ParameterException(
                spec.commandLine(), expected(names) + ", as in \"" + example + "\"");
    }

    /** Without the other names that commands have. */
    private static List<String> commands(CommandSpec spec) {
        return spec.subcommands().values().stream()
                .map(CommandLine::getCommandName)
                .distinct()
                .toList();
    }

    private static String expected(List<String> commands) {
        int last = commands.size() - 1;
        return "expected a command: "
                + String.join(", ", commands.subList(0, last))
                + " or "
                + commands.get(last);
    }

    private static int complain(CommandLine command, Throwable e, int exitCode) {
        PrintWriter err = command.getErr();
        err.println("error: " + message(e));
        if (exitCode == ExitCode.USAGE) {
            err.println(
                    command.getSubcommands().isEmpty()
                            ? "--help lists the options."
                            : "--help lists the commands.");
        }
        err.flush();
        return exitCode;
    }

    private static String message(Throwable e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> commands = commands(unmatched.getCommandLine().getCommandSpec());
            String first = unmatched.getUnmatched().get(0);
            if (!commands.isEmpty() && !first.startsWith("-")) {
                return expected(commands) + ", got " + first;
            }
        }
        if (e instanceof ParameterException
                || e instanceof IOException
                || e instanceof TrainingDivergedException) {
            return e.getMessage();
        }
        return e.getCause() == null ? e.toString() : e + ", because of " + e.getCause();
    }
}
