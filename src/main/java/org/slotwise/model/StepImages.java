package org.slotwise.model;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The images of a training's steps. Those of the next step are read or drawn by a thread of their
 * own while the present one computes: a training waits for them only where they take longer than a
 * step.
 */
final class StepImages implements AutoCloseable {

    private final Source source;
    private final long last;
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    work -> {
                        Thread own = new Thread(work, "slotwise-images");
                        own.setDaemon(true);
                        return own;
                    });
    private long ahead;
    private @Nullable Future<List<byte[]>> next;

    /** Makes images; asked by one thread at a time, step after step. */
    interface Source {
        /** Of a step, each (H, W, 3). */
        List<byte[]> of(long step) throws IOException;
    }

    /**
     * Images of steps.
     *
     * @param last the last step: nothing is made beyond it
     */
    StepImages(Source source, long last) {
        this.source = source;
        this.last = last;
    }

    /**
     * The images of a step; the making of the next step's begins.
     *
     * @throws IOException if one of this step cannot be read
     */
    List<byte[]> of(long step) throws IOException {
        Future<List<byte[]>> wanted =
                next != null && ahead == step ? next : thread.submit(() -> source.of(step));
        next = null;
        List<byte[]> images = await(wanted);
        if (step < last) {
            ahead = step + 1;
            next = thread.submit(() -> source.of(step + 1));
        }
        return images;
    }

    /** An interrupted thread stays so: a training ends after its step, with a checkpoint. */
    private static List<byte[]> await(Future<List<byte[]>> images) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return images.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw rethrown(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static IOException rethrown(@Nullable Throwable cause) {
        if (cause instanceof IOException io) {
            return io;
        }
        if (cause instanceof RuntimeException runtime) {
            throw runtime;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        throw new IllegalStateException(cause);
    }

    /** Waits for what is being read: whoever closes the files comes after. */
    @Override
    public void close() {
        Future<List<byte[]>> making = next;
        thread.shutdown();
        if (making != null) {
            try {
                await(making);
            } catch (IOException | RuntimeException e) {
                // Of a step that nobody takes.
            }
        }
    }
}
