package org.slotwise.distance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class FeatureCollectionTest {

    /**
     * Or moments and sample would be of different pictures, and a batch tried again counts twice.
     */
    @Test
    void whatIsRefusedIsAddedToNeither(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 4, 3);
        NDArray wide = x.mul(1e39); // finite in float64 alone
        try (FeatureCollection collection = new FeatureCollection(10, 0)) {
            collection.add(x);
            assertRefused(
                    "FeatureSample: features must be finite in float32, got "
                            + (float) wide.getDouble(0, 0)
                            + " in row 4",
                    () -> collection.add(wide));
            assertRefused(
                    "FeatureSample: features must be (..., 3), got (4, 2)",
                    () -> collection.add(x.get(":, 0:2")));
            assertEquals(4, collection.count());
            assertEquals(new Shape(4, 3), collection.sample(manager).getShape());
            collection.add(x);
            assertEquals(8, collection.statistics().count());
            assertEquals(new Shape(8, 3), collection.sample(manager).getShape());
        }
        // A sample that no array holds.
        try (FeatureCollection collection = new FeatureCollection(1 << 30, 0)) {
            assertRefused(
                    "FeatureSample: features must have sizes of at least 1 and at most 268435456"
                            + " numbers, got [1073741824, 3]",
                    () -> collection.add(x));
            assertEquals(0, collection.count());
        }
    }
}
