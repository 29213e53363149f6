package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.stream.IntStream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class EvenSpacingTest {

    /** Made by the device, they are to the last bit what Java makes of them in double precision. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT64", "FLOAT32", "FLOAT16"})
    void isRoundedOnce(DataType type, NDManager manager) {
        for (int count = 1; count <= 200; count++) {
            compare(manager, new EvenSpacing(0, 1, count, Math.max(count - 1, 1)), type);
            compare(manager, new EvenSpacing(0.5, 1, count, count), type);
            compare(manager, new EvenSpacing(2.5, 4, count, 4.0 * count), type);
        }
        compare(manager, new EvenSpacing(0.5, 1, 4097, 4097), type);
    }

    private static void compare(NDManager manager, EvenSpacing spacing, DataType type) {
        double[] values =
                IntStream.range(0, spacing.count())
                        .mapToDouble(
                                i -> (spacing.first() + i * spacing.step()) / spacing.divisor())
                        .toArray();
        Shape shape = new Shape(spacing.count());
        int before = manager.getManagedArrays().size();
        try (NDArray made = spacing.on(manager, OnDevice.device(), type);
                NDArray expected = Scalars.of(manager, OnDevice.device(), values, shape, type)) {
            assertEquals(before + 2, manager.getManagedArrays().size());
            assertEquals(type, made.getDataType());
            assertSame(spacing.toString(), expected, made);
        }
    }
}
