package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

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

    @Command(name = "Numbers")
    static final class Numbers implements Callable<Integer> {
        @Spec private CommandSpec spec;

        @Override
        public Integer call() {
            spec.commandLine().getOut().printf("%d %.1f %s", 12, 3.5, String.format("%d", 7));
            return 0;
        }
    }

    /** Tables would have Arabic digits here and commas for points there. */
    @Test
    void numbersAreTheSameInAllLocales() {
        Locale former = Locale.getDefault();
        try {
            for (String locale : List.of("ar-EG", "de-DE", "tr-TR", "hi-IN-u-nu-deva")) {
                Locale.setDefault(Locale.forLanguageTag(locale));
                assertEquals("12 3.5 7", Run.of(new Numbers()).succeeds().out(), locale);
            }
        } finally {
            Locale.setDefault(former);
        }
    }
}
