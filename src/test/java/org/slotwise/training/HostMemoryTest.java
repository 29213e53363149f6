package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.slotwise.testing.ChildJvm;

/** In processes of their own: it is a setting of the whole process. */
class HostMemoryTest {

    private static final int PASSES = 30;
    private static final int MEGABYTES = 40;
    private static final long PAGES = 256L * MEGABYTES; // of 4 KB

    /** Makes arrays and frees them, and tells how many pages the system had to find meanwhile. */
    static final class Passes {

        public static void main(String[] args) throws IOException {
            boolean kept = args[0].equals("keep") && HostMemory.keep() && HostMemory.keep();
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                for (int i = 0; i < PASSES / 3; i++) {
                    pass(manager);
                }
                long before = faults();
                for (int i = 0; i < PASSES; i++) {
                    pass(manager);
                }
                System.out.println("kept " + kept + " faults " + (faults() - before));
            }
        }

        private static void pass(NDManager manager) {
            try (NDArray x = manager.zeros(new Shape(MEGABYTES << 18));
                    NDArray y = x.add(1)) {
                y.sum().close();
            }
        }

        /** The eighth of the numbers after the program's name. */
        private static long faults() throws IOException {
            String line = Files.readString(Path.of("/proc/self/stat"));
            List<String> rest = List.of(line.substring(line.lastIndexOf(')') + 2).split(" ", -1));
            return Long.parseLong(rest.get(7));
        }
    }

    private static String said(String how, Map<String, String> environment) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        ChildJvm.command(
                                Passes.class,
                                List.of(
                                        "-Xmx128m",
                                        "-Dai.djl.offline=true",
                                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
                                how));
        builder.environment().putAll(environment);
        return ChildJvm.said(builder.redirectErrorStream(true).start());
    }

    private static long faults(String said) {
        return Long.parseLong(said.substring(said.indexOf(" faults ") + 8).strip());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void pagesAreFoundOnce() throws IOException {
        String plain = said("plain", Map.of());
        String kept = said("keep", Map.of());
        assertTrue(plain.contains("kept false faults "), plain);
        assumeTrue(kept.contains("kept true faults "), "another C library: " + kept);
        assumeTrue(faults(plain) > PASSES * PAGES, "a system whose pages are larger: " + plain);
        assertTrue(faults(kept) < PASSES * PAGES / 10, plain + kept);
        String told = said("plain", HostMemory.environment());
        assertTrue(faults(told) < PASSES * PAGES / 10, plain + told);
    }

    @Test
    @EnabledOnOs({OS.MAC, OS.WINDOWS})
    void isNotThereElsewhere() {
        assertFalse(HostMemory.keep());
    }
}
