package org.slotwise.examples.group;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.grouping.FeatureExtractorOutput;

class PixelFeaturesTest {

    private static Image image(int width, int height, int... rgb) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, rgb, 0, width);
        return ImageFactory.getInstance().fromImage(image);
    }

    /** Values of the usual tables for sRGB and D65. */
    @ParameterizedTest
    @CsvSource({
        "FFFFFF, 100, 0, 0",
        "000000, 0, 0, 0",
        "FF0000, 53.24, 80.09, 67.20",
        "00FF00, 87.73, -86.18, 83.18",
        "0000FF, 32.30, 79.19, -107.86",
        "808080, 53.59, 0, 0",
        "050505, 1.37, 0, 0"
    })
    void convertsToCielab(String rgb, float lightness, float a, float b) {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray lab = PixelFeatures.lab(manager, image(1, 1, Integer.parseInt(rgb, 16)));
            assertArrayEquals(new float[] {lightness, a, b}, lab.toFloatArray(), 0.1f);
        }
    }

    @Test
    void keepsPixelsInRows() {
        try (NDManager manager = NDManager.newBaseManager()) {
            FeatureExtractorOutput pixels =
                    PixelFeatures.of(manager, image(3, 2, 0xFFFFFF, 0, 0, 0, 0, 0xFFFFFF), 0.5);
            assertEquals(new Shape(1, 6, PixelFeatures.SIZE), pixels.features().getShape());
            float[] lightness = pixels.features().get(":, :, 0").toFloatArray();
            assertArrayEquals(new float[] {0.6f, 0, 0, 0, 0, 0.6f}, lightness, 1e-3f);
            assertNotNull(pixels.positions());
            assertArrayEquals(
                    new float[] {0, 0, 0, 0.5f, 0, 1, 1, 0, 1, 0.5f, 1, 1},
                    pixels.positions().toFloatArray(),
                    1e-6f);
            // One step is as long down as across.
            assertArrayEquals(
                    new float[] {0, 0, 0, 0.25f, 0.25f, 0.25f},
                    pixels.features().get(":, :, 3").toFloatArray(),
                    1e-6f);
            assertArrayEquals(
                    new float[] {0, 0.25f, 0.5f, 0, 0.25f, 0.5f},
                    pixels.features().get(":, :, 4").toFloatArray(),
                    1e-6f);
        }
    }

    @Test
    void leavesPlacesOutAtWeightZero() {
        try (NDManager manager = NDManager.newBaseManager()) {
            FeatureExtractorOutput pixels = PixelFeatures.of(manager, image(2, 1, 7, 7), 0);
            float[] f = pixels.features().toFloatArray();
            assertArrayEquals(Arrays.copyOf(f, 5), Arrays.copyOfRange(f, 5, 10), 1e-6f);
        }
    }
}
