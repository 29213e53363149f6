package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;

/** The operations of {@link Ops} that reduce, look up and read. */
@ExtendWith(OnDevice.class)
class OpsIndexTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 13})
    void maxIsTheEnginesMax(int size, NDManager manager) {
        for (int axis = 0; axis < 3; axis++) {
            long[] shape = {3, 4, 5};
            shape[axis] = size;
            NDArray x = normal(manager, size, shape);
            assertSame("axis " + axis, x.max(new int[] {axis}, true), Ops.max(x, axis));
        }
    }

    @Test
    void maxPassesNaNOn(NDManager manager) {
        NDArray x = manager.create(new float[] {1, Float.NaN, 3, 4, 5, 6}, new Shape(2, 3));
        double[] max = doubles(Ops.max(x, 1));
        assertTrue(Double.isNaN(max[0]));
        assertEquals(6, max[1]);
    }

    @Test
    void maxHasAGradient(NDManager manager) {
        NDArray x = normal(manager, 1, 4, 7);
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(Ops.max(x, 1).sum());
        }
        NDArray highest = x.eq(x.max(new int[] {1}, true)).toType(DataType.FLOAT32, false);
        assertSame("gradient", highest, x.getGradient());
    }

    @Test
    void looksRowsUp(NDManager manager) {
        NDArray table = normal(manager, 2, 6, 3);
        NDArray index = Ops.indices(table, 5, 0, 5, 2).reshape(2, 2);
        NDArray rows = Ops.rows(table, index);
        assertEquals(new Shape(2, 2, 3), rows.getShape());
        assertSame("a row", table.get(2), rows.get(1, 1));
        assertSame("another", table.get(5), rows.get(1, 0));
    }

    @Test
    void indicesAreInt64(NDManager manager) {
        NDArray index = Ops.indices(manager.zeros(new Shape(1)), 3, 1L << 40);
        assertEquals(DataType.INT64, index.getDataType());
        assertArrayEquals(new long[] {3, 1L << 40}, index.toLongArray());
    }

    @Test
    void partsBeginWhereTheOneBeforeEnds(NDManager manager) {
        NDArray begins = Ops.begins(manager.zeros(new Shape(1)), 4, 1L << 33);
        assertEquals(DataType.INT64, begins.getDataType());
        assertArrayEquals(new long[] {0, 1L << 33, 2L << 33, 3L << 33}, begins.toLongArray());
    }

    @Test
    void readsAndLeavesNothing(NDManager manager) {
        NDArray x = normal(manager, 3, 4, 5);
        NDArray turned = x.transpose();
        int before = manager.getManagedArrays().size();
        double[] read = Ops.read(turned);
        double[] again = Ops.read(turned.toType(DataType.FLOAT64, true));
        assertArrayEquals(again, read);
        assertEquals(doubles(x)[5], read[1]);
        assertTrue(largest(x) > 0);
        // The second call's own conversion.
        assertEquals(before + 1, manager.getManagedArrays().size());
    }
}
