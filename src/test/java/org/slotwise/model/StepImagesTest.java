package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StepImagesTest {

    private static List<byte[]> image(long step) {
        return List.of(new byte[] {(byte) step});
    }

    /** While a step computes, its images were taken, the next step's are made, and no more. */
    @Test
    void makesTheNextStepsAhead() throws Exception {
        ConcurrentLinkedQueue<Long> made = new ConcurrentLinkedQueue<>();
        CountDownLatch second = new CountDownLatch(1);
        try (StepImages images =
                new StepImages(
                        step -> {
                            made.add(step);
                            if (step == 6) {
                                second.countDown();
                            }
                            return image(step);
                        },
                        7)) {
            assertEquals(5, images.of(5).get(0)[0]);
            assertTrue(second.await(10, TimeUnit.SECONDS));
            assertEquals(List.of(5L, 6L), List.copyOf(made));
            assertEquals(6, images.of(6).get(0)[0]);
            assertEquals(7, images.of(7).get(0)[0]);
        }
        assertEquals(List.of(5L, 6L, 7L), List.copyOf(made));
    }

    @Test
    void whatCannotBeReadIsToldAtItsStep() throws Exception {
        StepImages.Source source =
                step -> {
                    if (step == 2) {
                        throw new IOException("a.png is damaged");
                    }
                    if (step == 3) {
                        throw new IllegalArgumentException("too small");
                    }
                    return image(step);
                };
        try (StepImages images = new StepImages(source, 9)) {
            assertEquals(1, images.of(1).get(0)[0]);
            IOException e = assertThrows(IOException.class, () -> images.of(2));
            assertEquals("a.png is damaged", e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> images.of(3));
            assertEquals(8, images.of(8).get(0)[0]);
        }
        // Of a step that nobody asks for: closing tells nothing.
        try (StepImages images = new StepImages(source, 9)) {
            assertEquals(1, images.of(1).get(0)[0]);
        }
    }

    @Test
    void anInterruptedThreadGetsItsImagesAndStaysMarked() throws Exception {
        try (StepImages images = new StepImages(StepImagesTest::image, 9)) {
            Thread.currentThread().interrupt();
            assertEquals(1, images.of(1).get(0)[0]);
            assertTrue(Thread.interrupted());
        }
    }

    /** Files may be closed as soon as a training has ended. */
    @Test
    void closingWaitsForWhatIsBeingRead() throws Exception {
        AtomicBoolean reading = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(1);
        StepImages images =
                new StepImages(
                        step -> {
                            if (step == 2) {
                                reading.set(true);
                                begun.countDown();
                                long end = System.nanoTime() + 200_000_000L;
                                while (System.nanoTime() < end) {
                                    Thread.onSpinWait();
                                }
                                reading.set(false);
                            }
                            return image(step);
                        },
                        9);
        assertEquals(1, images.of(1).get(0)[0]);
        assertTrue(begun.await(10, TimeUnit.SECONDS));
        images.close();
        assertFalse(reading.get());
    }
}
