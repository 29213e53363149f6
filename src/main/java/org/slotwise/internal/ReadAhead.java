package org.slotwise.internal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What a source gives, in its order, some of it read ahead by a thread of an executor.
 *
 * <p>One thread asks. It reads by itself what nobody has begun to read: so no thread ever waits for
 * one that is still to come, with however few threads, and the executor may be the one that the
 * asking thread belongs to. One thread at a time reads. What cannot be read is told of when it is
 * asked for.
 *
 * @param <T> what is read
 */
public final class ReadAhead<T> implements AutoCloseable {

    private final Source<T> source;
    private final int most;
    private final @Nullable Executor executor;
    private final Deque<T> ahead = new ArrayDeque<>();

    /** Whether a thread reads. */
    private boolean reading;

    /** Whether the executor is to read, or does. */
    private boolean ordered;

    private boolean ended;
    private @Nullable Throwable failure;

    /**
     * What is read one after the other.
     *
     * @param <T> what is read
     */
    @FunctionalInterface
    public interface Source<T> {

        /**
         * Reads.
         *
         * @return the next one; null at the end
         * @throws IOException if it cannot be read
         */
        @Nullable T next() throws IOException;
    }

    /**
     * Begins with nothing read.
     *
     * @param source asked by several threads, one after the other
     * @param most how many are read ahead, at least 1
     * @param executor reads ahead; null for nobody
     */
    public ReadAhead(Source<T> source, int most, @Nullable Executor executor) {
        this.source = source;
        this.most = most;
        this.executor = executor;
    }

    /**
     * Gives the next one, and has further ones read.
     *
     * @return the next one; null at the end, and when this was closed
     * @throws IOException what reading it threw, as do errors and exceptions that are not checked
     * @throws IllegalStateException if the thread is interrupted while another one reads
     */
    public @Nullable T next() throws IOException {
        while (!isThere()) {
            read();
        }
        T next = taken();
        start();
        return next;
    }

    /** Whether there is something, or the end; else this thread is to read it. */
    private synchronized boolean isThere() {
        while (ahead.isEmpty() && reading) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while another thread reads", e);
            }
        }
        boolean there = !ahead.isEmpty() || ended;
        reading |= !there;
        return there;
    }

    private synchronized @Nullable T taken() throws IOException {
        if (!ahead.isEmpty()) {
            return ahead.remove();
        }
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        return null;
    }

    /** Has some read ahead, unless there are enough of them. */
    public void start() {
        if (executor == null) {
            return;
        }
        synchronized (this) {
            if (ordered || ended || ahead.size() > most / 2) {
                return;
            }
            ordered = true;
        }
        try {
            executor.execute(this::fill);
        } catch (RejectedExecutionException e) {
            // It was shut down, or has too much to do: who asks reads.
            synchronized (this) {
                ordered = false;
            }
        }
    }

    private void fill() {
        while (isWanted()) {
            read();
        }
    }

    /** Whether this thread is to read one more. */
    private synchronized boolean isWanted() {
        ordered = !reading && !ended && ahead.size() < most;
        reading |= ordered;
        return ordered;
    }

    /** Reads one, or finds the end. */
    private void read() {
        T next = null;
        Throwable thrown = null;
        try {
            next = source.next();
        } catch (IOException | RuntimeException | Error e) {
            thrown = e;
        }
        synchronized (this) {
            reading = false;
            if (next == null) {
                ended = true;
                failure = thrown;
            } else if (!ended) {
                ahead.add(next);
            }
            notifyAll();
        }
    }

    /** Ends; when this returns, nobody asks the source any more. */
    @Override
    public synchronized void close() {
        ended = true;
        boolean interrupted = false;
        while (reading) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        failure = null;
        ahead.clear();
    }
}
