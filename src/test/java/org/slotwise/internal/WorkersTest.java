package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.ChildJvm;
import org.slotwise.testing.OnDevice;

/** {@link Workers}. */
@ExtendWith(OnDevice.class)
@Timeout(60)
class WorkersTest {

    private final int before = JniUtils.getNumThreads();

    @AfterEach
    void restore() {
        JniUtils.setNumThreads(before);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 1000})
    void doesEachTaskOnce(int tasks) {
        JniUtils.setNumThreads(4);
        AtomicIntegerArray done = new AtomicIntegerArray(Math.max(1, tasks));
        Workers.each(tasks, () -> done::incrementAndGet);
        for (int i = 0; i < tasks; i++) {
            assertEquals(1, done.get(i));
        }
    }

    @Test
    void usesAsManyThreadsAsTheEngine() {
        JniUtils.setNumThreads(2);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        Workers.each(
                2,
                () ->
                        i -> {
                            threads.add(Thread.currentThread());
                            both.countDown();
                            await(both);
                        });
        assertEquals(2, threads.size());
        assertTrue(threads.contains(Thread.currentThread()));
    }

    @Test
    void oneThreadIsTheCaller() {
        JniUtils.setNumThreads(1);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        Workers.each(100, () -> i -> threads.add(Thread.currentThread()));
        assertEquals(Set.of(Thread.currentThread()), threads);
    }

    @Test
    void tasksOfATaskAreItsThreads() {
        JniUtils.setNumThreads(4);
        AtomicIntegerArray done = new AtomicIntegerArray(50);
        Workers.each(
                5,
                () ->
                        i -> {
                            Thread outer = Thread.currentThread();
                            Workers.each(
                                    10,
                                    () ->
                                            j -> {
                                                assertEquals(outer, Thread.currentThread());
                                                done.incrementAndGet(i * 10 + j);
                                            });
                        });
        for (int i = 0; i < done.length(); i++) {
            assertEquals(1, done.get(i));
        }
        usesAsManyThreadsAsTheEngine(); // afterwards as before
    }

    /** Whoever else uses the pool does not hold up who shares work with it. */
    @Test
    void waitsForNoThreadThatIsBusyWithOtherWork() {
        JniUtils.setNumThreads(2);
        CountDownLatch end = new CountDownLatch(1);
        int pool = ForkJoinPool.commonPool().getParallelism();
        List<ForkJoinTask<?>> others =
                Stream.<ForkJoinTask<?>>generate(
                                () -> ForkJoinPool.commonPool().submit(() -> await(end)))
                        .limit(Math.max(1, pool))
                        .toList();
        try {
            doesEachTaskOnce(100);
            assertEquals(1, end.getCount());
        } finally {
            end.countDown();
            others.forEach(ForkJoinTask::join);
        }
    }

    /** A pool that is full keeps shares for long: not what they were about. */
    @Test
    void nothingIsHeldByThreadsThatComeTooLate() throws InterruptedException {
        JniUtils.setNumThreads(3);
        CountDownLatch end = new CountDownLatch(1);
        List<ForkJoinTask<?>> others =
                Stream.<ForkJoinTask<?>>generate(
                                () -> ForkJoinPool.commonPool().submit(() -> await(end)))
                        .limit(Math.max(1, ForkJoinPool.getCommonPoolParallelism()))
                        .toList();
        try {
            WeakReference<byte[]> held = hold();
            for (int i = 0; i < 100 && held.get() != null; i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertNull(held.get());
        } finally {
            end.countDown();
            others.forEach(ForkJoinTask::join);
        }
    }

    private static WeakReference<byte[]> hold() {
        byte[] large = new byte[1 << 20];
        Workers.each(50, () -> i -> large[i]++);
        return new WeakReference<>(large);
    }

    /** Nobody would ever take what it is given. */
    @Test
    void aPoolWithoutThreadsIsGivenNothing() throws IOException, InterruptedException {
        Process process =
                ChildJvm.start(
                        WithoutThreads.class,
                        List.of(
                                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=0",
                                "-Dai.djl.offline=true"));
        String said = ChildJvm.said(process);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.contains("1000 done, 0 wait"), said);
    }

    /** The process whose pool has none. */
    static final class WithoutThreads {

        private WithoutThreads() {}

        public static void main(String[] args) {
            Engine.getEngine("PyTorch"); // without it there is no library to ask for threads
            JniUtils.setNumThreads(3);
            AtomicInteger done = new AtomicInteger();
            for (int i = 0; i < 100; i++) {
                Workers.each(10, () -> task -> done.incrementAndGet());
            }
            int wait = ForkJoinPool.commonPool().getQueuedSubmissionCount();
            System.out.println(done + " done, " + wait + " wait");
        }
    }

    /** By whatever thread: as it is, and no further tasks are begun. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failuresComeThrough(boolean fromTheCaller) {
        JniUtils.setNumThreads(2);
        Thread caller = Thread.currentThread();
        CountDownLatch both = new CountDownLatch(2);
        AtomicInteger begun = new AtomicInteger();
        IllegalStateException e =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                Workers.each(
                                        1 << 20,
                                        () ->
                                                i -> {
                                                    both.countDown();
                                                    await(both);
                                                    begun.incrementAndGet();
                                                    if (fromTheCaller
                                                            == (Thread.currentThread() == caller)) {
                                                        throw new IllegalStateException("a task");
                                                    }
                                                    LockSupport.parkNanos(100_000);
                                                }));
        assertEquals("a task", e.getMessage());
        assertTrue(begun.get() < 1 << 20, () -> "" + begun);
        doesEachTaskOnce(100);
    }

    @Test
    void errorsComeThroughFromWhatMakesWorkers() {
        for (int threads = 1; threads <= 3; threads++) {
            JniUtils.setNumThreads(threads);
            OutOfMemoryError e =
                    assertThrows(
                            OutOfMemoryError.class,
                            () ->
                                    Workers.each(
                                            10,
                                            () -> {
                                                throw new OutOfMemoryError("of a worker");
                                            }));
            assertEquals("of a worker", e.getMessage());
            doesEachTaskOnce(100);
        }
    }

    /** Each of several threads of a program, at the same time, as the pool's own. */
    @Test
    void callersDoNotDisturbEachOther() {
        JniUtils.setNumThreads(3);
        List<ForkJoinTask<?>> callers =
                Stream.<ForkJoinTask<?>>generate(
                                () ->
                                        ForkJoinPool.commonPool()
                                                .submit(() -> repeat(this::doesAThousand)))
                        .limit(8)
                        .toList();
        repeat(this::doesAThousand);
        callers.forEach(ForkJoinTask::join);
    }

    private void doesAThousand() {
        doesEachTaskOnce(1000);
    }

    private static void repeat(Runnable work) {
        for (int i = 0; i < 200; i++) {
            work.run();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
