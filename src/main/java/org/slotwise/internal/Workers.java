package org.slotwise.internal;

import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Does work that is Java's own on as many threads as the engine uses for an operation. */
public final class Workers {

    /** Set in a thread that does one of several threads' tasks. */
    private static final ThreadLocal<Boolean> WITHIN = new ThreadLocal<>();

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
     * part, and waits for no thread that has not begun. A task's own tasks are done by its thread.
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
        int helpers = WITHIN.get() == null ? Math.min(tasks, threads()) - 1 : 0;
        if (helpers <= 0) {
            share.run();
            return;
        }
        List<Share> others =
                Stream.generate(() -> new Share(() -> within(share))).limit(helpers).toList();
        others.forEach(ForkJoinPool.commonPool()::execute);
        try {
            within(share);
        } finally {
            CompletableFuture.allOf(
                            others.stream()
                                    .filter(other -> !other.called.compareAndSet(false, true))
                                    .map(other -> other.done)
                                    .toArray(CompletableFuture[]::new))
                    .join();
        }
    }

    private static void within(Runnable share) {
        WITHIN.set(true);
        try {
            share.run();
        } finally {
            WITHIN.remove();
        }
    }

    /** A share of the tasks, for another thread, unless that comes too late. */
    private static final class Share implements Runnable {
        final AtomicBoolean called = new AtomicBoolean();
        final CompletableFuture<Void> done = new CompletableFuture<>();
        private final Runnable share;

        Share(Runnable share) {
            this.share = share;
        }

        @Override
        public void run() {
            if (called.compareAndSet(false, true)) {
                try {
                    share.run();
                    done.complete(null);
                } catch (RuntimeException | Error e) {
                    done.completeExceptionally(e);
                }
            }
        }
    }
}
