package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.FiniteDifferences;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Values and gradients beside others': {@code GnmLayersReferenceTest}. */
@ExtendWith(OnDevice.class)
class SpatialTransformerTest {

    private static NDArray where(NDManager manager, double... numbers) {
        return manager.create(numbers, new Shape(numbers.length / 4, 4));
    }

    @Test
    void gradientsAreThoseOfDifferences(NDManager manager) {
        NDArray images = Tensors.normal(manager, 1, DataType.FLOAT64, 2, 2, 3, 4);
        // No sample falls on a pixel's centre, where the gradient jumps.
        NDArray places = where(manager, 0.413, 0.377, 0.121, -0.233, 0.817, 0.613, -0.347, 0.291);
        NDArray weights = Tensors.normal(manager, 2, DataType.FLOAT64, 2, 2, 5, 6);
        FiniteDifferences.check(
                manager,
                in -> SpatialTransformer.paste(in[0], in[1], 5, 6).mul(weights).sum(),
                images,
                places);
        FiniteDifferences.check(
                manager,
                in -> SpatialTransformer.crop(in[0], in[1], 5, 6).mul(weights).sum(),
                Tensors.normal(manager, 3, DataType.FLOAT64, 2, 2, 7, 6),
                where(manager, 0.413, 0.377, 0.121, -0.233, 0.317, 0.413, -0.347, 0.191));
    }

    @Test
    void theWholeImageIsItself(NDManager manager) {
        NDArray images = Tensors.normal(manager, 1, 1, 3, 5, 7);
        NDArray all = manager.create(new float[] {1, 1, 0, 0}, new Shape(1, 4));
        assertClose("crop", images, SpatialTransformer.crop(images, all, 5, 7), 1e-5);
        assertClose("paste", images, SpatialTransformer.paste(images, all, 5, 7), 1e-5);
    }

    @Test
    void aRectangleBeyondTheImageLeavesNothing(NDManager manager) {
        NDArray image = manager.ones(new Shape(1, 1, 4, 4));
        NDArray far = manager.create(new float[] {0.2f, 0.2f, 3, 0}, new Shape(1, 4));
        assertEquals(0, SpatialTransformer.paste(image, far, 8, 8).sum().getFloat());
    }

    @Test
    void badCallsAreRefused(NDManager manager) {
        NDArray image = manager.ones(new Shape(2, 1, 4, 4));
        NDArray place = manager.ones(new Shape(2, 4));
        assertRefused(
                "SpatialTransformer: where must be (2, 4), got (1, 4)",
                () -> SpatialTransformer.paste(image, manager.ones(new Shape(1, 4)), 4, 4));
        assertRefused(
                "SpatialTransformer: height must be at least 1, got 0",
                () -> SpatialTransformer.crop(image, place, 0, 4));
        assertRefused(
                "SpatialTransformer: where must be float32 as images, got float64",
                () -> SpatialTransformer.paste(image, place.toType(DataType.FLOAT64, false), 4, 4));
    }
}
