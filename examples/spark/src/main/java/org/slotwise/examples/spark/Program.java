package org.slotwise.examples.spark;

import java.io.PrintWriter;
import java.util.Objects;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParameterException;

/** How jobs start, and how they fail: one line, with Spark's log above it. */
final class Program {

    private Program() {}

    /** Runs a job and ends the process if it failed: what Spark starts must else end by itself. */
    static void main(Object job, String... args) {
        int exit = run(job, args);
        if (exit != ExitCode.OK) {
            System.exit(exit);
        }
    }

    /** The exit code: 0, or 1 if it failed, or 2 if an option is wrong. */
    static int run(Object job, String... args) {
        return new CommandLine(job)
                .setParameterExceptionHandler(
                        (e, given) -> complain(e.getCommandLine(), e, ExitCode.USAGE))
                .setExecutionExceptionHandler(
                        (e, line, parsed) -> complain(line, e, ExitCode.SOFTWARE))
                .execute(args);
    }

    private static int complain(CommandLine line, Throwable e, int exit) {
        String message = Objects.requireNonNullElse(e.getMessage(), e.toString());
        PrintWriter err = line.getErr();
        err.println("error: " + message.lines().findFirst().orElse(""));
        if (exit == ExitCode.USAGE) {
            err.println("--help lists the options.");
        }
        err.flush();
        return exit;
    }

    /** The session that {@code spark-submit} describes. */
    static SparkSession session(String name) {
        return SparkSession.builder()
                .appName(name)
                // Tasks look for files in a folder of the session otherwise, where they are not.
                .config("spark.sql.artifact.isolation.enabled", false)
                .getOrCreate();
    }

    /** Refuses an option's value. */
    static void require(CommandLine line, boolean condition, String expected, Object got) {
        if (!condition) {
            throw new ParameterException(line, expected + ", got " + got);
        }
    }

    /** Refuses to write where there is something, before the work rather than after it. */
    static void requireAbsent(CommandLine line, SparkSession spark, String folder)
            throws java.io.IOException {
        Path path = new Path(folder);
        boolean there = path.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(path);
        require(line, !there, "--out must not be there yet", folder);
    }
}
