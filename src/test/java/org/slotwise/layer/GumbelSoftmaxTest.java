package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What is not in the reference cases of {@code slate} and {@code quantization}. */
@ExtendWith(OnDevice.class)
class GumbelSoftmaxTest {

    @Test
    void everyAxisIsAlike(NDManager manager) {
        NDArray logits = Tensors.normal(manager, 1, 2, 3, 4, 5);
        NDArray gumbel = Tensors.normal(manager, 2, 2, 3, 4, 5);
        for (boolean hard : new boolean[] {false, true}) {
            GumbelSoftmax sampling = new GumbelSoftmax(0.5, hard);
            for (int axis = 0; axis < 4; axis++) {
                NDArray last =
                        sampling.sample(logits.swapAxes(axis, 3), gumbel.swapAxes(axis, 3), 3);
                NDArray y = sampling.sample(logits, gumbel, axis);
                assertClose("axis " + axis, last.swapAxes(axis, 3), y, 1e-6);
                assertClose(
                        "sums", y.sum(new int[] {axis}).onesLike(), y.sum(new int[] {axis}), 1e-6);
            }
        }
    }

    @Test
    void hardSamplesAreExact(NDManager manager) {
        NDArray logits = Tensors.normal(manager, 1, 3, 4, 5);
        NDArray y = new GumbelSoftmax(0.5, true).sample(logits, null, 1);
        for (double v : doubles(y)) {
            assertEquals(Math.rint(v), v);
        }
        NDArray chosen = manager.create(new long[] {2, 0}, new Shape(2));
        NDArray oneHot = GumbelSoftmax.oneHot(chosen, 3, 0, DataType.FLOAT64);
        assertEquals(new Shape(3, 2), oneHot.getShape());
        assertArrayEquals(new double[] {0, 1, 0, 0, 1, 0}, doubles(oneHot));
    }

    /** Mean 0.5772 (Euler's constant) and variance pi² / 6. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void noiseIsGumbel(DataType type, NDManager manager) {
        NDArray g = GumbelSoftmax.noise(manager.zeros(new Shape(100_000), type));
        assertEquals(type, g.getDataType());
        double[] values = doubles(g);
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        double squares = Arrays.stream(values).map(v -> v * v).average().orElse(Double.NaN);
        assertTrue(Double.isFinite(Tensors.largest(g)));
        assertEquals(0.5772, mean, 0.02);
        assertEquals(Math.PI * Math.PI / 6, squares - mean * mean, 0.05);
    }

    @Test
    void refuses() {
        assertRefused(
                "GumbelSoftmax: temperature must be above 0 and finite, got 0.0",
                () -> new GumbelSoftmax(0, false));
    }
}
