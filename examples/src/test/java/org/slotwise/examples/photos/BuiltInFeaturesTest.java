package org.slotwise.examples.photos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BuiltInFeaturesTest {

    private static final int SIZE = 40;
    private static final int GRID = 5;
    private static final int DIM = 9;

    private final BuiltInFeatures features = new BuiltInFeatures(SIZE);
    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    /** Features but for places, (B, 5, 5, 7). */
    private NDArray seen(NDArray images) {
        NDArray x = features.extract(images);
        assertEquals(new Shape(images.getShape().get(0), GRID * GRID, DIM), x.getShape());
        return x.get(":, :, :7").reshape(-1, GRID, GRID, 7);
    }

    private NDArray plain(double r, double g, double b) {
        return manager.create(new float[] {(float) r, (float) g, (float) b})
                .reshape(1, 3, 1, 1)
                .broadcast(1, 3, SIZE, SIZE);
    }

    @Test
    void onePlainColourIsTheSameEverywhere() {
        float[] x = seen(plain(0.8, 0.4, 0.2)).toFloatArray();
        for (int i = 0; i < x.length; i++) {
            assertEquals(x[i % 7], x[i], 1e-5, "up to the border");
        }
    }

    @Test
    void shadeChangesBrightnessMoreThanHue() {
        float[] light = seen(plain(0.8, 0.4, 0.2)).get("0, 2, 2").toFloatArray();
        float[] shade = seen(plain(0.56, 0.28, 0.14)).get("0, 2, 2").toFloatArray();
        assertTrue(light[0] - shade[0] > 0.09);
        assertTrue(Math.abs(light[1] - shade[1]) < 0.04 * light[1]);
        assertTrue(light[1] > 0 && light[2] < 0, "red and yellow");
    }

    @Test
    void smoothsWithinThingsAndNotAcrossTheirEdges() {
        NDArray noise =
                manager.randomNormal(0, 0.1f, new Shape(1, 3, SIZE, SIZE), DataType.FLOAT32);
        NDArray image = plain(0.2, 0.2, 0.2).duplicate();
        image.set(new NDIndex(":, :, :, 16:"), plain(0.8, 0.8, 0.8).get(":, :, :, 16:"));
        float[] clean = seen(image).get("0, 2, :, 0").toFloatArray();
        assertTrue(clean[2] - clean[1] > 0.4, "the edge stays where it was");
        float[] noisy = seen(image.add(noise).clip(0, 1)).get("0, 2, :, 0").toFloatArray();
        assertArrayEquals(clean, noisy, 0.02f);
    }

    @Test
    void aMirroredImageHasMirroredFeatures() {
        NDArray image = manager.randomUniform(0, 1, new Shape(2, 3, SIZE, SIZE));
        NDArray there = seen(image);
        NDArray back = seen(image.flip(3)).flip(2);
        // The diagonals change places.
        NDArray swapped =
                back.transpose(3, 0, 1, 2)
                        .get(manager.create(new int[] {0, 1, 2, 3, 4, 6, 5}))
                        .transpose(1, 2, 3, 0);
        assertArrayEquals(there.toFloatArray(), swapped.toFloatArray(), 1e-4f);
    }

    @Test
    void edgesHaveDirections() {
        float[] stripes = new float[SIZE];
        IntStream.range(0, SIZE).filter(i -> i / 2 % 2 == 0).forEach(i -> stripes[i] = 1);
        NDArray upright =
                manager.create(stripes).reshape(1, 1, 1, SIZE).broadcast(1, 3, SIZE, SIZE);
        float[] x = seen(upright).get("0, 2, 2").toFloatArray();
        assertTrue(x[3] > 10 * x[4], "changes to the right, none downwards");
        float[] y = seen(upright.swapAxes(2, 3)).get("0, 2, 2").toFloatArray();
        assertEquals(x[3], y[4], 1e-5);
        assertEquals(x[4], y[3], 1e-5);
    }

    @Test
    void anImageAloneIsAsInABatch() {
        NDArray images = manager.randomUniform(0, 1, new Shape(3, 3, SIZE, SIZE));
        assertArrayEquals(
                features.extract(images).get("1:2").toFloatArray(),
                features.extract(images.get("1:2")).toFloatArray(),
                1e-6f);
    }
}
