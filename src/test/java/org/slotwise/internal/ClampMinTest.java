package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.OnDevice;

/** {@link Ops#clampMin} beside PyTorch's own clamp, which DJL's {@code clip} calls. */
@ExtendWith(OnDevice.class)
class ClampMinTest {

    private static final float FLOOR = 0.5f;
    private static final float[] VALUES = {
        0.25f, 0.5f, 0.75f, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, Float.NaN
    };
    private static final float[] CLAMPED = {
        0.5f, 0.5f, 0.75f, 0.5f, Float.POSITIVE_INFINITY, Float.NaN
    };

    private static float[] floats(NDArray array) {
        return array.toType(DataType.FLOAT32, true).toFloatArray();
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void valuesWithoutAGraph(DataType type, NDManager manager) {
        NDArray x = manager.create(VALUES).toType(type, true);
        NDArray clamped = NoGraph.during(() -> Ops.clampMin(x, FLOOR));
        assertEquals(type, clamped.getDataType());
        assertArrayEquals(CLAMPED, floats(clamped));
    }

    /** The whole gradient passes at a tie. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void valuesAndGradientsWithAGraph(DataType type, NDManager manager) {
        float[] got = gradient(manager, type, x -> Ops.clampMin(x, FLOOR));
        float[] clip = gradient(manager, type, x -> x.clip(FLOOR, Double.POSITIVE_INFINITY));
        // What a gradient is at NaN does not matter.
        assertArrayEquals(new float[] {0, 1, 1, 0, 1}, Arrays.copyOf(got, 5));
        assertArrayEquals(Arrays.copyOf(clip, 5), Arrays.copyOf(got, 5));
    }

    private static float[] gradient(
            NDManager manager, DataType type, UnaryOperator<NDArray> function) {
        NDArray x = manager.create(VALUES).toType(type, true).duplicate();
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray clamped = function.apply(x);
            assertEquals(type, clamped.getDataType());
            assertArrayEquals(CLAMPED, floats(clamped));
            collector.backward(clamped.sum());
        }
        return floats(x.getGradient());
    }
}
