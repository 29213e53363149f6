package org.slotwise.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Provokes garbage collections, and fills the native memory that they free with other numbers. */
public final class Garbage {

    private static final int ROUNDS = 3;
    private static final int BUFFERS = 3000;

    private Garbage() {}

    /**
     * Collects garbage and reuses what it freed. A graph that points to memory of a Java buffer
     * that nobody holds any more gives wrong gradients after this.
     */
    public static void collect() {
        for (int round = 0; round < ROUNDS; round++) {
            System.gc();
            try {
                Thread.sleep(30); // buffers are freed by another thread
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            List<ByteBuffer> held = new ArrayList<>(BUFFERS);
            for (int i = 0; i < BUFFERS; i++) {
                ByteBuffer buffer =
                        ByteBuffer.allocateDirect(4 << (i % 4)).order(ByteOrder.nativeOrder());
                while (buffer.remaining() >= Float.BYTES) {
                    buffer.putFloat(777);
                }
                held.add(buffer);
            }
            if (held.isEmpty()) {
                throw new IllegalStateException();
            }
        }
    }
}
