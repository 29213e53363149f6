package org.slotwise.examples.shared;

import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Somebody pressed Ctrl-C, or the machine shuts down: there is a little time to save the work. */
public final class StopRequest implements AutoCloseable {

    private static final int SECONDS = 20;

    private final CountDownLatch saved = new CountDownLatch(1);
    private final Thread hook = new Thread(this::await, "stop-request");
    private volatile boolean made;

    /** Listens from now on. */
    public StopRequest() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void await() {
        made = true;
        try {
            if (!saved.await(SECONDS, TimeUnit.SECONDS)) {
                System.err.println("error: there was no time for a last checkpoint");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the process is about to end. */
    public boolean isMade() {
        return made;
    }

    /**
     * Ends a training that was asked to end, and tells how it goes on. The process ends with the
     * request, before anybody could tell of an error.
     *
     * @param out where it is told
     * @param steps how many steps were taken
     * @param checkpoint where they are kept; null if nowhere
     * @return what is to be thrown
     */
    public static InterruptedIOException end(
            PrintWriter out, long steps, @Nullable Path checkpoint) {
        String message = "stopped after step " + steps + outlook(checkpoint);
        out.println(message);
        out.flush();
        return new InterruptedIOException(message);
    }

    /**
     * How a training that was stopped goes on.
     *
     * @param checkpoint where it is kept; null if nowhere
     * @return the end of a sentence
     */
    public static String outlook(@Nullable Path checkpoint) {
        return checkpoint == null
                ? "; without --checkpoint nothing is kept"
                : "; --resume goes on from " + checkpoint;
    }

    /** Lets the process end, or no longer cares. */
    @Override
    public void close() {
        saved.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already.
        }
    }
}
