package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A Python that may be there, {@code -Dslotwise.python} or else {@code python3}: what other
 * programs make of what the library writes.
 */
public final class Python {

    private static final String PYTHON = System.getProperty("slotwise.python", "python3");

    private Python() {}

    /** Skips the test where Python lacks some modules, or is not there. */
    public static void assumeModules(Path folder, String modules)
            throws IOException, InterruptedException {
        int found = status(folder, "-c", "import " + modules);
        assumeTrue(found == 0, PYTHON + " has no " + modules);
    }

    /** The exit status of Python, whose output goes to output.txt; -1 if there is no Python. */
    public static int status(Path folder, String... arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(PYTHON));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("output.txt").toFile());
        try {
            Process process = builder.start();
            if (!process.waitFor(3, TimeUnit.MINUTES)) {
                process.destroyForcibly();
            }
            return process.waitFor();
        } catch (IOException e) {
            return -1;
        }
    }

    /** Runs a program in a folder, and requires it to end well. */
    public static void run(Path folder, String program) throws IOException, InterruptedException {
        Files.writeString(folder.resolve("program.py"), program);
        int status = status(folder, "program.py");
        String output = Files.readString(folder.resolve("output.txt"));
        assertEquals(0, status, () -> "\n" + output);
    }
}
