package org.slotwise.examples.shared;

import ai.djl.TrainingDivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.slotwise.training.HostMemory;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** How programs start, and how they fail: one line, never a stack trace. */
public final class Program {

    /** What {@code --data-seed} may be, in words. */
    public static final String DATA_SEEDS = "0 to 2^32";

    private static final long MAX_DATA_SEED = 1L << 32;

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
     * Runs a command in a process of its own, which ends with its exit code. Memory that arrays
     * leave is kept for the next ones ({@link HostMemory}). Pictures are encoded in memory: Java
     * closes those that go through files of its own when the process is asked to end, so that a
     * program which then still finishes its work could not.
     *
     * @param command an object with picocli's annotations, or its {@link CommandSpec}
     * @param args its options
     */
    public static void main(Object command, String... args) {
        HostMemory.keep();
        ImageIO.setUseCache(false);
        System.exit(run(of(command), args));
    }

    /**
     * Runs a command.
     *
     * @param command the command
     * @param args its options
     * @return the exit code: 0, or 1 if it failed, or 2 if an option is wrong
     */
    public static int run(CommandLine command, String... args) {
        // Tables and progress are in English, and so are their numbers, wherever it runs.
        Locale.setDefault(Locale.ROOT); // a PrintWriter asks for no category
        try {
            return command.execute(OutputName.known(command, args));
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

    /**
     * Refuses an option's value that is out of range.
     *
     * @param spec the command
     * @param option the option: "--steps"
     * @param value what it is
     * @param least what it must be at least
     * @param most what it may be at most
     */
    public static void requireRange(
            CommandSpec spec, String option, long value, long least, long most) {
        require(
                spec,
                value >= least && value <= most,
                option + " must be " + least + " to " + most,
                value);
    }

    /**
     * Refuses a {@code --data-seed} that is none.
     *
     * @param spec the command
     * @param seed what was given
     */
    public static void requireDataSeed(CommandSpec spec, long seed) {
        require(
                spec,
                seed >= 0 && seed <= MAX_DATA_SEED,
                "--data-seed must be " + DATA_SEEDS,
                seed);
    }

    /**
     * Refuses options beside which another one has no effect.
     *
     * @param spec the command
     * @param option the option that says what is done
     * @param others options that would say something else, or nothing
     */
    public static void refuseBeside(CommandSpec spec, String option, String... others) {
        for (String other : others) {
            if (isGiven(spec, option) && isGiven(spec, other)) {
                throw new ParameterException(
                        spec.commandLine(),
                        other + " has no effect beside " + option + ": leave one of them out");
            }
        }
    }

    /**
     * Refuses options that have no effect without another one.
     *
     * @param spec the command
     * @param option the option that they belong to
     * @param others options that say more about it
     */
    public static void refuseWithout(CommandSpec spec, String option, String... others) {
        for (String other : others) {
            if (!isGiven(spec, option) && isGiven(spec, other)) {
                throw new ParameterException(spec.commandLine(), other + " needs " + option);
            }
        }
    }

    /** Whether an option stands on the command line. */
    public static boolean isGiven(CommandSpec spec, String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /** Refuses an {@code --output} that is no name of a PNG file. */
    public static void requirePng(CommandSpec spec, Path output) {
        require(spec, OutputFile.isPng(output), "--output must end in .png", output);
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
        // Failures of the engine go on with a stack of their own.
        String first = message(e).lines().findFirst().orElse("");
        err.println("error: " + Complaint.of(first, command.getCommandSpec()));
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
        if (e instanceof IOException failure) {
            return FileTrouble.message(failure);
        }
        if (e instanceof UncheckedIOException failure) {
            return FileTrouble.message(failure.getCause());
        }
        // The library's errors about what it is given are sentences.
        if (e instanceof ParameterException
                || e instanceof TrainingDivergedException
                || e instanceof IllegalArgumentException && e.getMessage() != null) {
            return e.getMessage();
        }
        return e.getCause() == null ? e.toString() : e + ", because of " + e.getCause();
    }
}
