package org.slotwise.position;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class PositionGridTest {

    @Test
    void runsThroughRowsFirst(NDManager manager) {
        NDArray grid = PositionGrid.of(manager, DataType.FLOAT64, 2, 3);
        assertEquals(new Shape(6, 2), grid.getShape());
        assertEquals(OnDevice.device(), grid.getDevice());
        assertEquals(1, manager.getManagedArrays().size());
        double[] expected = {0, 0, 0, 0.5, 0, 1, 1, 0, 1, 0.5, 1, 1};
        assertArrayEquals(expected, grid.toDoubleArray());
    }

    @Test
    void hasAnyNumberOfAxes(NDManager manager) {
        double[] line = PositionGrid.of(manager, DataType.FLOAT64, 5).toDoubleArray();
        assertArrayEquals(new double[] {0, 0.25, 0.5, 0.75, 1}, line);
        NDArray cube = PositionGrid.of(manager, DataType.FLOAT64, 2, 1, 2);
        double[] expected = {0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1};
        assertEquals(new Shape(4, 3), cube.getShape());
        assertArrayEquals(expected, cube.toDoubleArray());
    }

    /** As {@code torch.linspace(0, 1, 1)}. */
    @Test
    void anAxisOfOneIsAtZero(NDManager manager) {
        NDArray point = PositionGrid.of(manager, DataType.FLOAT64, 1, 1);
        assertArrayEquals(new double[] {0, 0}, point.toDoubleArray());
    }

    @Test
    void comesInTheTypeAskedFor(NDManager manager) {
        NDArray exact = PositionGrid.of(manager, DataType.FLOAT64, 7, 3);
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT16}) {
            NDArray grid = PositionGrid.of(manager, type, 7, 3);
            assertEquals(type, grid.getDataType());
            assertSame("rounded", exact.toType(type, true), grid);
        }
    }

    @Test
    void isMadeWhereTheFeaturesAre(NDManager manager) {
        NDArray features = manager.zeros(new Shape(2, 6, 8), DataType.FLOAT64);
        try (NDManager other = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            features.attach(other); // where an array lies does not follow from who owns it
            NDArray grid = PositionGrid.like(features, 2, 3);
            assertEquals(OnDevice.device(), grid.getDevice());
            assertSame("positions", PositionGrid.of(manager, DataType.FLOAT64, 2, 3), grid);
        }
    }

    @Test
    void largeGridsEndAtOne(NDManager manager) {
        NDArray grid = PositionGrid.of(manager, DataType.FLOAT32, 300, 400);
        assertEquals(new Shape(120000, 2), grid.getShape());
        assertArrayEquals(new float[] {1, 1}, grid.get(119999).toFloatArray());
        assertEquals(1, Tensors.largest(grid));
    }

    @Test
    void refusesWhatIsNoGrid(NDManager manager) {
        assertRefused(
                "PositionGrid: sizes must be at least 1, got []",
                () -> PositionGrid.of(manager, DataType.FLOAT32));
        assertRefused(
                "PositionGrid: sizes must be at least 1, got [3, 0]",
                () -> PositionGrid.of(manager, DataType.FLOAT32, 3, 0));
        assertRefused(
                "PositionGrid: positions must be float32, float64 or float16, got int32",
                () -> PositionGrid.of(manager, DataType.INT32, 3, 3));
    }
}
