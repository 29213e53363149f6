package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
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

    @Test
    void failuresComeThrough() {
        JniUtils.setNumThreads(3);
        RuntimeException e =
                assertThrows(
                        RuntimeException.class,
                        () ->
                                Workers.each(
                                        50,
                                        () ->
                                                i -> {
                                                    throw new IllegalStateException("task " + i);
                                                }));
        assertTrue(e.getMessage().contains("task"), e.getMessage());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
