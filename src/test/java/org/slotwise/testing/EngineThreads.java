package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.pytorch.jni.JniUtils;
import java.util.function.Supplier;

/** The number of threads among which the engine shares an operation, and Java a loop. */
public final class EngineThreads {

    private EngineThreads() {}

    /** Does something with so many; afterwards there are as many as before. */
    public static <T> T with(int count, Supplier<T> work) {
        int before = JniUtils.getNumThreads();
        JniUtils.setNumThreads(count);
        try {
            assertEquals(count, JniUtils.getNumThreads());
            return work.get();
        } finally {
            JniUtils.setNumThreads(before);
        }
    }
}
