package org.slotwise.examples.pictures;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import org.slotwise.examples.shared.Program;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** How many threads the engine takes. */
final class EngineThreads {

    private static final int MAX = 256;

    @Option(
            names = "--threads",
            defaultValue = "1",
            paramLabel = "NUMBER",
            description =
                    "How many threads the engine takes, 1 to "
                            + MAX
                            + ". With another number results differ in their last digits."
                            + " Default: ${DEFAULT-VALUE}.")
    private int threads;

    void check(CommandSpec spec) {
        Program.requireRange(spec, "--threads", threads, 1, MAX);
    }

    void set() {
        Engine.getInstance(); // loads what the next line calls
        JniUtils.setNumThreads(threads);
    }
}
