package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.pytorch.jni.JniUtils;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
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
