package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slotwise.testing.ThreadPools;

@Timeout(60)
class ReadAheadTest {

    private static final int COUNT = 200;

    @RegisterExtension private final ThreadPools pools = new ThreadPools();
    private final AtomicInteger read = new AtomicInteger();
    private final AtomicInteger atOnce = new AtomicInteger();

    /** 0, 1, 2 and so on, read by one thread at a time. */
    private @Nullable Integer number() {
        assertEquals(1, atOnce.incrementAndGet());
        int next = read.getAndIncrement();
        atOnce.decrementAndGet();
        return next < COUNT ? next : null;
    }

    private static List<Integer> all(ReadAhead<Integer> numbers) throws IOException {
        List<Integer> all = new ArrayList<>();
        for (Integer next = numbers.next(); next != null; next = numbers.next()) {
            all.add(next);
        }
        return all;
    }

    private static ReadAhead.Source<Integer> failing(int at, Throwable failure) {
        AtomicInteger next = new AtomicInteger();
        return () -> {
            if (next.get() < at) {
                return next.getAndIncrement();
            }
            if (failure instanceof IOException e) {
                throw e;
            }
            if (failure instanceof RuntimeException e) {
                throw e;
            }
            throw (Error) failure;
        };
    }

    @Test
    void orderIsThatOfTheSourceWithAnyThreads() throws IOException {
        ExecutorService shut = pools.fixed(1);
        shut.shutdown();
        Executor refusing =
                task -> {
                    throw new RejectedExecutionException();
                };
        Executor never = task -> {};
        for (Executor executor :
                new Executor[] {
                    null,
                    pools.fixed(1),
                    pools.fixed(4),
                    shut,
                    refusing,
                    never,
                    Runnable::run,
                    Executors.newCachedThreadPool()
                }) {
            if (executor instanceof ExecutorService service) {
                pools.add(service);
            }
            for (int most : new int[] {1, 2, 7, 1000}) {
                read.set(0);
                try (ReadAhead<Integer> numbers = new ReadAhead<>(this::number, most, executor)) {
                    assertEquals(IntStream.range(0, COUNT).boxed().toList(), all(numbers));
                    assertNull(numbers.next());
                    assertEquals(COUNT + 1, read.get(), "nothing is read behind the end");
                }
            }
        }
    }

    /** Tasks that are held back run when the test wants it. */
    @Test
    void readsNoMoreAheadThanAllowed() throws IOException {
        Deque<Runnable> tasks = new ArrayDeque<>();
        try (ReadAhead<Integer> numbers = new ReadAhead<>(this::number, 4, tasks::add)) {
            numbers.start();
            numbers.start();
            assertEquals(1, tasks.size(), "ordered once");
            assertEquals(0, read.get());
            tasks.remove().run();
            assertEquals(4, read.get());
            assertEquals(0, numbers.next());
            assertEquals(0, tasks.size(), "three are enough");
            assertEquals(1, numbers.next());
            tasks.remove().run();
            assertEquals(6, read.get());
        }
        assertEquals(0, tasks.size());
    }

    @Test
    void withoutAnExecutorNothingIsReadAhead() throws IOException {
        try (ReadAhead<Integer> numbers = new ReadAhead<>(this::number, 4, null)) {
            numbers.start();
            assertEquals(0, read.get());
            assertEquals(0, numbers.next());
            assertEquals(1, read.get());
        }
    }

    /** The only thread of an executor asks: what it ordered from itself never comes. */
    @Test
    void askingFromTheExecutorsOnlyThreadComesToAnEnd() throws Exception {
        ExecutorService pool = pools.fixed(1);
        ReadAhead<Integer> numbers = new ReadAhead<>(this::number, 3, pool);
        Future<List<Integer>> asked = pool.submit(() -> all(numbers));
        assertEquals(COUNT, asked.get().size());
        numbers.close();
    }

    @Test
    void failuresComeInTheirTurn() throws IOException {
        for (Throwable failure :
                new Throwable[] {
                    new IOException("a"), new IllegalStateException("b"), new AssertionError("c")
                }) {
            for (Executor executor : new Executor[] {null, pools.fixed(2)}) {
                for (int at : new int[] {0, 1, 5}) {
                    ReadAhead<Integer> numbers = new ReadAhead<>(failing(at, failure), 3, executor);
                    numbers.start();
                    for (int i = 0; i < at; i++) {
                        assertEquals(i, numbers.next());
                    }
                    assertSame(failure, assertThrows(Throwable.class, numbers::next));
                    assertSame(failure, assertThrows(Throwable.class, numbers::next));
                    numbers.close();
                    assertNull(numbers.next());
                }
            }
        }
    }

    @Test
    void closingWaitsForWhoReads() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        ReadAhead<Integer> numbers =
                new ReadAhead<>(
                        () -> {
                            began.countDown();
                            awaitQuietly(goOn);
                            return done.incrementAndGet();
                        },
                        5,
                        pools.fixed(1));
        numbers.start();
        began.await();
        Future<Boolean> closed =
                pools.fixed(1)
                        .submit(
                                () -> {
                                    Thread.currentThread().interrupt(); // does not end the waiting
                                    numbers.close();
                                    assertEquals(1, done.get());
                                    return Thread.interrupted();
                                });
        assertThrows(
                java.util.concurrent.TimeoutException.class,
                () -> closed.get(100, TimeUnit.MILLISECONDS));
        goOn.countDown();
        assertTrue(closed.get(), "the interruption is still told");
        assertNull(numbers.next());
        assertEquals(1, done.get(), "nothing is read after it");
    }

    @Test
    void whatWasOrderedBeforeClosingReadsNothing() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        ReadAhead<Integer> numbers = new ReadAhead<>(this::number, 4, tasks::add);
        numbers.start();
        numbers.close();
        tasks.remove().run();
        numbers.start();
        assertEquals(0, tasks.size());
        assertEquals(0, read.get());
    }

    @Test
    void anInterruptedThreadDoesNotWait() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        ReadAhead<Integer> numbers =
                new ReadAhead<>(
                        () -> {
                            began.countDown();
                            awaitQuietly(goOn);
                            return number();
                        },
                        5,
                        pools.fixed(1));
        numbers.start();
        began.await();
        Thread.currentThread().interrupt();
        assertThrows(IllegalStateException.class, numbers::next);
        assertTrue(Thread.interrupted());
        goOn.countDown();
        assertEquals(0, numbers.next(), "and nothing is lost");
        numbers.close();
        assertFalse(Thread.interrupted());
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
