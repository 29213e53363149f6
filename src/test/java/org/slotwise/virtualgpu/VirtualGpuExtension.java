package org.slotwise.virtualgpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * Brings the GPU that is not there to all tests, and fails those in which the library copies what
 * it is not meant to copy. JUnit finds it by itself in the Maven profile {@code virtual-gpu}.
 */
public final class VirtualGpuExtension
        implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    private static final Namespace SPACE = Namespace.create(VirtualGpuExtension.class);

    static {
        VirtualGpu.installIfAsked();
    }

    /** Writes what was seen when all tests are done. */
    private record Report(Path file) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            Crossings.write(file);
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        String file = System.getProperty(VirtualGpu.PROPERTY + ".report");
        if (file != null) {
            context.getRoot()
                    .getStore(SPACE)
                    .getOrComputeIfAbsent(Report.class, key -> new Report(Path.of(file)));
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        requireNoFaults();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        requireNoFaults();
    }

    private static void requireNoFaults() {
        assertEquals(
                List.of(),
                Crossings.takeFaults(),
                "copies between host and GPU that IntendedCrossing does not list");
    }
}
