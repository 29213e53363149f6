package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;

/** Two elements share a number, and must not show it. */
@ExtendWith(OnDevice.class)
class DropoutDrawTest {

    private static final int N = 1 << 20;

    private static double share(NDArray kept) {
        return kept.toType(DataType.FLOAT64, false).mean().getDouble();
    }

    /** Within five deviations, in either half, of numbers of any place. */
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.5, 0.9, 0.03})
    void keepsItsShare(double rate, NDManager manager) {
        Engine.getInstance().setRandomSeed(1);
        NDArray kept = DropoutDraw.kept(manager.zeros(new Shape(N)), rate);
        assertEquals(DataType.BOOLEAN, kept.getDataType());
        double deviation = 5 * Math.sqrt(rate * (1 - rate) / N * 2);
        assertEquals(1 - rate, share(kept.get(":{}", N / 2)), deviation);
        assertEquals(1 - rate, share(kept.get("{}:", N / 2)), deviation);
        // Both halves of one number are dropped together as often as chance has it.
        NDArray both = kept.get(":{}", N / 2).logicalAnd(kept.get("{}:", N / 2));
        assertEquals((1 - rate) * (1 - rate), share(both), 5 * Math.sqrt(0.25 / N * 2));
    }

    @Test
    void takesAnyShape(NDManager manager) {
        for (Shape shape : new Shape[] {new Shape(1), new Shape(3, 5), new Shape(0, 4)}) {
            NDArray like = manager.zeros(shape, DataType.FLOAT64);
            assertEquals(shape, DropoutDraw.kept(like, 0.5).getShape());
        }
    }

    @Test
    void isTheSameOfTheSameSeed(NDManager manager) {
        NDArray like = manager.zeros(new Shape(1001));
        Engine.getInstance().setRandomSeed(7);
        NDArray first = DropoutDraw.kept(like, 0.5);
        NDArray next = DropoutDraw.kept(like, 0.5);
        Engine.getInstance().setRandomSeed(7);
        assertEquals(first, DropoutDraw.kept(like, 0.5));
        assertNotEquals(first, next);
    }

    /** A rate that is no multiple of 1/32768 is drawn so only where that is not felt. */
    @Test
    void knowsWhatItCanDraw() {
        assertTrue(DropoutDraw.isFine(0));
        assertTrue(DropoutDraw.isFine(0.1));
        assertTrue(DropoutDraw.isFine(0.5));
        assertFalse(DropoutDraw.isFine(1e-5));
        assertFalse(DropoutDraw.isFine(1.4 / 32768));
        assertTrue(DropoutDraw.isFine(0.999));
    }
}
