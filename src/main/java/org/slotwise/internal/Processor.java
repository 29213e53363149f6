package org.slotwise.internal;

import java.io.IOException;
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
