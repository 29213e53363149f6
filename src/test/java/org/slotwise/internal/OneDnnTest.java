package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;

/** Linear maps by oneDNN are those of matrix products, and so are their gradients. */
@ExtendWith(OnDevice.class)
@EnabledIf("isThere")
class OneDnnTest {

    static boolean isThere() {
        return !OnDevice.device().isGpu() && Engine.getEngine("PyTorch").hasCapability("MKLDNN");
    }

    @BeforeEach
    void drawTheSame(NDManager manager) {
        manager.getEngine().setRandomSeed(4);
    }

    private static NDArray product(NDArray x, NDArray weight, @Nullable NDArray bias) {
        NDArray y = x.matMul(weight.transpose());
        return bias == null ? y : y.add(bias);
    }

    private static List<float[]> values(Supplier<NDArray> work, NDArray... leaves) {
        return values(work, () -> {}, leaves);
    }

    /** A value and the gradients of arrays, with something between. */
    private static List<float[]> values(
            Supplier<NDArray> work, Runnable between, NDArray... leaves) {
        List<float[]> all = new ArrayList<>();
        for (NDArray leaf : leaves) {
            leaf.setRequiresGradient(true);
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray y = work.get();
            // Not of y: the two ways' rounding of it would be in the gradients.
            NDArray weights = uniform(y.getManager(), 9, y.getDataType(), y.getShape().getShape());
            between.run();
            collector.backward(y.mul(weights).sum());
            all.add(y.toFloatArray());
        }
        for (NDArray leaf : leaves) {
            all.add(leaf.getGradient().toFloatArray());
            leaf.getGradient().muli(0);
        }
        return all;
    }

    private static void assertNear(List<float[]> expected, List<float[]> got) {
        for (int i = 0; i < expected.size(); i++) {
            float largest = 0;
            for (float value : expected.get(i)) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertArrayEquals(expected.get(i), got.get(i), 2e-5f * largest, "array " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"2,256,192,64", "1,1031,33,17", "3,7,1024,5", "1,20481,1,3"})
    void mapsAndGradientsAreThoseOfProducts(
            long batch, long rows, long in, long out, NDManager manager) {
        NDArray x = manager.randomNormal(new Shape(batch, rows, in));
        NDArray weight = manager.randomNormal(new Shape(out, in));
        NDArray bias = manager.randomNormal(new Shape(out));
        assertNear(
                values(() -> product(x, weight, bias), x, weight, bias),
                values(() -> OneDnn.linear(x, weight, bias), x, weight, bias));
        assertNear(
                values(() -> product(x, weight, null), x, weight),
                values(() -> OneDnn.linear(x, weight, null), x, weight));
        assertNear(
                values(() -> Ops.leakyRelu(product(x, weight, bias), 0), x, weight, bias),
                values(() -> OneDnn.linearRelu(x, weight, bias), x, weight, bias));
        assertNear(
                values(() -> Ops.leakyRelu(product(x, weight, null), 0), x, weight),
                values(() -> OneDnn.linearRelu(x, weight, null), x, weight));
    }

    @Test
    void anyAxesAndOrdersInMemory(NDManager manager) {
        NDArray weight = manager.randomNormal(new Shape(40, 64));
        NDArray turned = manager.randomNormal(new Shape(4, 64, 30, 5)).transpose(0, 3, 2, 1);
        assertEquals(new Shape(4, 5, 30, 40), OneDnn.linear(turned, weight, null).getShape());
        NDArray parts = manager.randomNormal(new Shape(6, 50, 130)).get(":, ::2, 3:67");
        NDArray rows = manager.randomNormal(new Shape(999, 64));
        for (NDArray x : List.of(turned, parts, rows)) {
            assertNear(
                    values(() -> product(x.mul(Scalars.like(x, 1)), weight, null), weight),
                    values(() -> OneDnn.linear(x, weight, null), weight));
        }
    }

    @Test
    void sameCallsGiveTheSameBits(NDManager manager) {
        NDArray x = manager.randomNormal(new Shape(8, 256, 192));
        NDArray weight = manager.randomNormal(new Shape(192, 192));
        List<float[]> first = values(() -> OneDnn.linear(x, weight, null), x, weight);
        for (int i = 0; i < 3; i++) {
            List<float[]> again =
                    values(() -> OneDnn.linear(x, weight, null), Garbage::collect, x, weight);
            for (int j = 0; j < first.size(); j++) {
                assertArrayEquals(first.get(j), again.get(j));
            }
        }
    }

    @Test
    void notANumberStaysInItsRow(NDManager manager) {
        NDArray x = manager.ones(new Shape(1, 300, 192));
        x.set(new NDIndex("0, 7, 3"), Float.NaN);
        NDArray y = OneDnn.linear(x, manager.ones(new Shape(8, 192)), null);
        assertEquals(8, y.isNaN().toType(DataType.INT32, false).sum().toLongArray()[0]);
        assertTrue(Float.isNaN(y.getFloat(0, 7, 0)));
    }

    @Test
    void onlyLargeMapsOfFloat32AreTaken(NDManager manager) {
        NDArray small = manager.ones(new Shape(10, 64));
        assertFalse(OneDnn.takes(small, manager.ones(new Shape(64, 64))));
        NDArray large = manager.ones(new Shape(4, 1024, 64));
        NDArray weight = manager.ones(new Shape(512, 64));
        assertFalse(
                OneDnn.takes(
                        large.toType(DataType.FLOAT64, true),
                        weight.toType(DataType.FLOAT64, true)));
        boolean taken = OneDnn.takes(large, weight);
        NDList both = new NDList(Ops.linear(large, weight, null), product(large, weight, null));
        assertEquals(taken, OneDnn.takes(large, weight));
        assertArrayEquals(both.get(1).toFloatArray(), both.get(0).toFloatArray(), 1e-3f);
    }
}
