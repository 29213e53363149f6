package org.slotwise.internal;

import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
     * If a task fails, no others are begun, and its failure is thrown here as it is, whichever
     * thread it was in.
     *
     * @param tasks how many; they are numbered from 0
     * @param worker makes what does tasks, one for each thread: it need not be safe for several
     */
    public static void each(int tasks, Supplier<IntConsumer> worker) {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Runnable share =
                () -> {
                    try {
                        IntConsumer own = worker.get();
                        for (int i = next.getAndIncrement();
                                i < tasks;
                                i = next.getAndIncrement()) {
                            own.accept(i);
                        }
                    } catch (RuntimeException | Error e) {
                        failure.compareAndSet(null, e);
                        next.set(tasks);
                    }
                };
        int helpers = WITHIN.get() == null ? Math.min(tasks, threads()) - 1 : 0;
        if (helpers <= 0) {
            share.run();
        } else {
            shared(share, helpers);
        }
        Throwable e = failure.get();
        if (e instanceof Error error) {
            throw error;
        } else if (e != null) {
            throw (RuntimeException) e;
        }
    }

    /**
     * Does tasks that have tasks of their own: side by side where there are as many as threads,
     * each on one; else one after the other, each on all.
     *
     * @param tasks how many; they are numbered from 0
     * @param worker makes what does tasks, one for each thread: it need not be safe for several
     */
    public static void eachWithOwn(int tasks, Supplier<IntConsumer> worker) {
        if (tasks >= threads()) {
            each(tasks, worker);
        } else {
            IntStream.range(0, tasks).forEach(worker.get());
        }
    }

    private static void shared(Runnable share, int helpers) {
        List<Share> others =
                Stream.generate(() -> new Share(() -> within(share))).limit(helpers).toList();
        List<ForkJoinTask<?>> offers = new ArrayList<>();
        try {
            for (Share other : others) {
                ForkJoinTask<?> offer = ForkJoinTask.adapt(other);
                ForkJoinPool.commonPool().execute(offer);
                offers.add(offer);
            }
            within(share);
        } finally {
            // A pool without threads, or a full one, would keep them: the last is on top.
            Collections.reverse(offers);
            offers.forEach(ForkJoinTask::tryUnfork);
            others.forEach(Share::takeBackOrWait);
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

    /**
     * A share of the tasks, for another thread, unless that comes too late. If the pool keeps it
     * then, it holds nothing itself any more.
     */
    private static final class Share implements Runnable {
        private final AtomicReference<@Nullable Runnable> left;
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        Share(Runnable share) {
            left = new AtomicReference<>(share);
        }

        @Override
        public void run() {
            Runnable share = left.getAndSet(null);
            if (share != null) {
                try {
                    share.run();
                } finally {
                    done.complete(null);
                }
            }
        }

        void takeBackOrWait() {
            if (left.getAndSet(null) == null) {
                done.join();
            }
        }
    }
}
