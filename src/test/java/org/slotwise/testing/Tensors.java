package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Random;

/** Comparison and making of tensors in tests. */
public final class Tensors {

    private Tensors() {}

    /**
     * Requires equal shapes and types, and no element further off than {@code tolerance} times the
     * largest magnitude expected. NaN anywhere fails.
     */
    public static void assertClose(
            String what, NDArray expected, NDArray actual, double tolerance) {
        assertClose(what, expected, actual, tolerance, 0);
    }

    /**
     * As above, where the scale is at least {@code leastScale}: for a tensor that is zero in exact
     * arithmetic, such as the gradient of an offset that a softmax does not see.
     */
    public static void assertClose(
            String what, NDArray expected, NDArray actual, double tolerance, double leastScale) {
        assertEquals(expected.getShape(), actual.getShape(), what + ": shape");
        assertEquals(expected.getDataType(), actual.getDataType(), what + ": type");
        double[] e = doubles(expected);
        double[] a = doubles(actual);
        double scale = leastScale;
        for (double v : e) {
            scale = Math.max(scale, Math.abs(v));
        }
        double bound = tolerance * (scale > 0 ? scale : 1);
        for (int i = 0; i < e.length; i++) {
            if (!(Math.abs(e[i] - a[i]) <= bound)) {
                fail(
                        what
                                + ": element "
                                + i
                                + " is "
                                + a[i]
                                + ", expected "
                                + e[i]
                                + " within "
                                + bound);
            }
        }
    }

    /** Requires equal shapes, types and elements. */
    public static void assertSame(String what, NDArray expected, NDArray actual) {
        assertClose(what, expected, actual, 0);
    }

    /** The elements in row-major order. */
    public static double[] doubles(NDArray array) {
        try (NDManager manager = array.getManager().newSubManager()) {
            NDArray copy = array.toType(DataType.FLOAT64, true);
            copy.attach(manager);
            return copy.toDoubleArray();
        }
    }

    /** The largest magnitude; NaN if any element is. */
    public static double largest(NDArray array) {
        double largest = 0;
        for (double v : doubles(array)) {
            largest = Double.isNaN(v) ? v : Math.max(largest, Math.abs(v));
        }
        return largest;
    }

    /** Standard normal draws, the same on every device, in memory of the engine's own. */
    public static NDArray normal(NDManager manager, long seed, DataType type, long... shape) {
        Random random = new Random(seed);
        float[] values = new float[(int) new Shape(shape).size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        try (NDArray buffer = manager.create(values, new Shape(shape))) {
            return buffer.toType(type, true).duplicate();
        }
    }

    /** Standard normal draws in float32. */
    public static NDArray normal(NDManager manager, long seed, long... shape) {
        return normal(manager, seed, DataType.FLOAT32, shape);
    }

    /** Uniform draws from [0, 1), the same on every device, in memory of the engine's own. */
    public static NDArray uniform(NDManager manager, long seed, DataType type, long... shape) {
        Random random = new Random(seed);
        float[] values = new float[(int) new Shape(shape).size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        try (NDArray buffer = manager.create(values, new Shape(shape))) {
            return buffer.toType(type, true).duplicate();
        }
    }
}
