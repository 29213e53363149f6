package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.image.Palette;
import org.slotwise.image.SlotMasks;

class FigureTest {

    private static final int WIDTH = 200;
    private static final int HEIGHT = 100;

    /** Three quarters of the picture to slot 2, a quarter to slot 0, nothing to slot 1. */
    private static SlotMasks masks(NDManager manager) {
        float[] attributions = new float[3 * WIDTH * HEIGHT];
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            int slot = i % WIDTH < WIDTH / 4 ? 0 : 2;
            attributions[slot * WIDTH * HEIGHT + i] = 0.6f;
            attributions[WIDTH * HEIGHT + i] = 0.4f;
        }
        NDArray array = manager.create(attributions, new Shape(3, HEIGHT, WIDTH));
        return SlotMasks.of(array).hard().largestFirst();
    }

    @Test
    void drawsPanelsSideBySide() {
        BufferedImage picture = PictureFiles.halves(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        BufferedImage figure;
        try (NDManager manager = NDManager.newBaseManager()) {
            figure =
                    (BufferedImage)
                            Figure.draw(
                                            new Picture(
                                                    ImageFactory.getInstance().fromImage(picture),
                                                    WIDTH,
                                                    HEIGHT),
                                            masks(manager))
                                    .getWrappedImage();
        }
        int w = Figure.PANEL;
        int h = Figure.PANEL / 2;
        assertEquals(5 * (w + Figure.GAP) + Figure.GAP, figure.getWidth());
        assertEquals(h + Figure.BAR + 2 * Figure.GAP, figure.getHeight());
        int far = w / 10;
        int[][] expected = { // at a tenth of the width, and at nine tenths
            {0xFF0000, 0x0000FF}, // the picture
            {
                Palette.colourBlindSafe().rgb(1), Palette.colourBlindSafe().rgb(0)
            }, // the segmentation
            {-1, 0x0000FF}, // the largest slot
            {0xFF0000, -1},
            {-1, -1} // the empty slot
        };
        for (int panel = 0; panel < 5; panel++) {
            int x = Figure.GAP + panel * (w + Figure.GAP);
            int y = Figure.GAP + h / 2;
            assertColour(expected[panel][0], figure.getRGB(x + far, y));
            assertColour(expected[panel][1], figure.getRGB(x + w - far, y));
            int bar = figure.getRGB(x + w / 2, Figure.GAP + h + Figure.BAR - 1) & 0xFFFFFF;
            assertEquals(panel < 2 ? 0xFFFFFF : Palette.colourBlindSafe().rgb(panel - 2), bar);
        }
    }

    /** -1 for the pale squares that show through. */
    private static void assertColour(int expected, int rgb) {
        int got = rgb & 0xFFFFFF;
        if (expected >= 0) {
            assertEquals(Integer.toHexString(expected), Integer.toHexString(got));
        } else {
            assertEquals(got & 255, got >> 8 & 255);
            assertEquals(got & 255, got >> 16);
            assertEquals(0xF3, got & 255, 12);
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 1, 3", "6, 1, 6", "7, 2, 4", "8, 2, 4", "12, 2, 6", "13, 3, 5", "66, 11, 6"})
    void fillsRows(int panels, int rows, int columns) {
        assertEquals(rows, Figure.rows(panels));
        assertEquals(columns, Figure.columns(panels));
    }
}
