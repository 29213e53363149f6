package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.slotwise.grouping.PerceptualGroupingOutput;

/** Colours found, and slots that stay empty. */
class ColourStartTest {

    private static final int SIDE = 8;

    /** A grey picture with a red left quarter and, in the second image, a green lower right one. */
    private static NDArray images(NDManager manager) {
        float[] pixels = new float[2 * 3 * SIDE * SIDE];
        for (int b = 0; b < 2; b++) {
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++) {
                    boolean red = x < 2;
                    boolean green = b == 1 && x >= 4 && y >= 4;
                    float[] rgb = {0.5f, 0.5f, 0.5f};
                    if (red) {
                        rgb = new float[] {0.9f, 0.1f, 0.1f};
                    } else if (green) {
                        rgb = new float[] {0.1f, 0.8f, 0.2f};
                    }
                    for (int c = 0; c < 3; c++) {
                        pixels[((b * 3 + c) * SIDE + y) * SIDE + x] = rgb[c];
                    }
                }
            }
        }
        return manager.create(pixels, new Shape(2, 3, SIDE, SIDE));
    }

    @Test
    void eachColourIsASlotAndTheOthersAreEmpty() {
        try (NDManager manager = NDManager.newBaseManager()) {
            ColourStart start = new ColourStart(5, SIDE, 2);
            NDArray images = images(manager);
            int before = manager.getManagedArrays().size();
            NDArray draw = start.draw(manager, 2, 0, new Random(3));
            assertEquals(new Shape(2, 16), draw.getShape());
            PerceptualGroupingOutput found = start.guess(images, draw);
            boolean[] empty = found.isEmpty().toBooleanArray();
            int[] slots = {5, 5};
            for (int i = 0; i < 10; i++) {
                slots[i / 5] -= empty[i] ? 1 : 0;
            }
            assertEquals(2, slots[0], "grey and red");
            assertEquals(3, slots[1], "grey, red and green");
            // Every second pixel of every second row: a quarter of the columns is red.
            float[] sizes = found.attributions().sum(new int[] {2}).toFloatArray();
            boolean red = false;
            for (int k = 0; k < 5; k++) {
                red |= Math.abs(sizes[k] - 4) < 0.01;
            }
            assertTrue(red, java.util.Arrays.toString(sizes));
            // What is left over belongs to whoever asked: the result of two arrays and the draw.
            assertFalse(found.attributions().isNaN().any().getBoolean());
            assertTrue(manager.getManagedArrays().size() - before < 20);
        }
    }

    @Test
    void theDrawRepeatsAndMatters() {
        try (NDManager manager = NDManager.newBaseManager()) {
            ColourStart start = new ColourStart(3, SIDE, 2);
            NDArray first = start.draw(manager, 2, 0, new Random(3));
            assertTrue(first.contentEquals(start.draw(manager, 2, 0, new Random(3))));
            assertFalse(first.contentEquals(start.draw(manager, 2, 0, new Random(4))));
        }
    }

    @Test
    void slotsMayChangeWhereTheyStartFromColoursOnly() {
        assertEquals(9, new ColourStart(3, SIDE, 2).withSlots(9).slots());
        GridStart grid = new GridStart(List.of(0.3f, 0.7f), List.of(0.5f));
        assertEquals(grid, grid.withSlots(2));
        String message =
                assertThrows(IllegalArgumentException.class, () -> grid.withSlots(3)).getMessage();
        assertEquals("slots of this model start on a grid of 2: it must be 2, got 3", message);
    }
}
