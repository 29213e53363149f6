package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Command;

/** A program keeps the memory that its arrays leave: in processes of their own. */
class ProgramMemoryTest {

    private static final int PASSES = 20;
    private static final int MEGABYTES = 40;
    private static final long PAGES = 256L * MEGABYTES; // of 4 KB

    @TempDir Path folder;

    /** Makes arrays and frees them, and tells how many pages the system found meanwhile. */
    @Command(name = "passes")
    static final class Passes implements Callable<Integer> {

        public static void main(String[] args) throws Exception {
            if (args.length > 0) {
                new Passes().call();
            } else {
                Program.main(new Passes());
            }
        }

        @Override
        public Integer call() throws IOException {
            try (NDManager manager = NDManager.newBaseManager()) {
                long before = 0;
                for (int i = 0; i < 2 * PASSES; i++) {
                    before = i == PASSES ? faults() : before;
                    manager.zeros(new Shape(MEGABYTES << 18)).close();
                }
                System.out.println("faults " + (faults() - before));
            }
            return 0;
        }

        /** The eighth of the numbers after the program's name. */
        private static long faults() throws IOException {
            String line = Files.readString(Path.of("/proc/self/stat"));
            List<String> rest = List.of(line.substring(line.lastIndexOf(')') + 2).split(" ", -1));
            return Long.parseLong(rest.get(7));
        }
    }

    private long faults(String... args) throws IOException, InterruptedException {
        Path output = folder.resolve("said");
        int exitCode = OtherProcess.start(Passes.class, output, List.of(args)).waitFor();
        String said = Files.readString(output);
        assertEquals(0, exitCode, said);
        return Long.parseLong(said.substring(said.lastIndexOf("faults ") + 7).strip());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void pagesAreFoundOnce() throws IOException, InterruptedException {
        long without = faults("without");
        assumeTrue(without > PASSES * PAGES / 2, "as with larger pages: " + without);
        long with = faults();
        assertTrue(with < PASSES * PAGES / 10, without + " without, " + with);
    }
}
