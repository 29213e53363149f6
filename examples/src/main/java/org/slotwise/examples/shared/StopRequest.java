package org.slotwise.examples.shared;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

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
