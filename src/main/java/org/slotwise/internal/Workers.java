package org.slotwise.internal;

import ai.djl.pytorch.jni.JniUtils;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Does work that is Java's own on as many threads as the engine uses for an operation. */
public final class Workers {

    private Workers() {}

    /**
     * How many threads take part.
     *
     * @return at least 1
     */
    public static int threads() {
        return JniUtils.getNumThreads();
    }

    /**
     * Does tasks, the lower numbers first, and returns when all are done. The calling thread takes
     * part.
     *
     * @param tasks how many; they are numbered from 0
     * @param worker makes what does tasks, one for each thread: it need not be safe for several
     */
    public static void each(int tasks, Supplier<IntConsumer> worker) {
        AtomicInteger next = new AtomicInteger();
        Runnable share =
                () -> {
                    IntConsumer own = worker.get();
                    for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                        own.accept(i);
                    }
                };
        int helpers = Math.min(tasks, threads()) - 1;
        CompletableFuture<?>[] others =
                Stream.generate(() -> CompletableFuture.runAsync(share))
                        .limit(Math.max(0, helpers))
                        .toArray(CompletableFuture[]::new);
        try {
            share.run();
        } finally {
            CompletableFuture.allOf(others).join();
        }
    }
}
