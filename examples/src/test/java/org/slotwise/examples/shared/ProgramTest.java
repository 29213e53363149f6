package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;

class ProgramTest {

    @Command(name = "Failing")
    private static final class Failing implements Callable<Integer> {

        private final Throwable failure;

        Failing(Throwable failure) {
            this.failure = failure;
        }

        @Override
        public Integer call() throws Exception {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (Exception) failure;
        }
    }

    @Test
    void tellsUnexpectedFailuresInOneLine() {
        Run run =
                Run.of(
                        new Failing(
                                new IllegalStateException("no engine", new RuntimeException("x"))));
        assertEquals(1, run.exitCode());
        assertEquals(
                "error: java.lang.IllegalStateException: no engine, because of"
                        + " java.lang.RuntimeException: x",
                run.err().strip());
    }

    @Test
    void tellsWhenMemoryOrALibraryIsMissing() {
        Run run = Run.of(new Failing(new UnsatisfiedLinkError("libtorch")));
        assertEquals(1, run.exitCode());
        assertEquals("error: java.lang.UnsatisfiedLinkError: libtorch", run.err().strip());
        assertEquals(1, Run.of(new Failing(new OutOfMemoryError())).exitCode());
    }
}
