package org.slotwise.internal;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** The machine's processor. */
final class Processor {

    private static final Path LINUX = Path.of("/proc/cpuinfo");

    private Processor() {}

    /** Whether the system tells a maker that is not Intel. */
    static boolean isKnownNotIntel() {
        String maker = maker();
        return !maker.isBlank() && !maker.contains("Intel");
    }

    /**
     * Whether {@link Math#fma} is an instruction. Where it is not, as in a virtual machine of an
     * older make, Java computes it with numbers of any length, a thousand times slower.
     */
    static boolean fusesMultiplyAdd() {
        try {
            HotSpotDiagnosticMXBean machine =
                    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            return machine == null
                    || Boolean.parseBoolean(machine.getVMOption("UseFMA").getValue());
        } catch (IllegalArgumentException | LinkageError e) {
            return true; // a Java that does not tell
        }
    }

    /** What the system says of the maker; empty if it says nothing. */
    private static String maker() {
        if (Files.isReadable(LINUX)) {
            try (Stream<String> lines = Files.lines(LINUX)) {
                return lines.filter(line -> line.startsWith("vendor_id")).findFirst().orElse("");
            } catch (IOException e) {
                return "";
            }
        }
        return Optional.ofNullable(System.getenv("PROCESSOR_IDENTIFIER")).orElse(""); // Windows
    }
}
