package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.fail;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import java.util.function.Function;

/** Compares gradients with central differences, in float64. */
public final class FiniteDifferences {

    private static final double STEP = 1e-5;
    private static final double TOLERANCE = 1e-7;

    private FiniteDifferences() {}

    /**
     * Requires the gradient of a function with regard to each element of each input to agree with
     * {@code (f(x + h) - f(x - h)) / 2h} within 1e-7 of the gradient's scale.
     *
     * @param function gives a number, an array of shape (), for the inputs
     * @param inputs float64 arrays, all of which the function uses
     */
    public static void check(
            NDManager manager, Function<NDArray[], NDArray> function, NDArray... inputs) {
        for (NDArray input : inputs) {
            input.setRequiresGradient(true);
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(function.apply(inputs));
        }
        for (int i = 0; i < inputs.length; i++) {
            double[] gradient;
            try (NDArray g = inputs[i].getGradient()) {
                gradient = g.toDoubleArray();
            }
            double scale = 1;
            for (double g : gradient) {
                scale = Math.max(scale, Math.abs(g));
            }
            for (int j = 0; j < gradient.length; j++) {
                double difference =
                        (at(manager, function, inputs, i, j, STEP)
                                        - at(manager, function, inputs, i, j, -STEP))
                                / (2 * STEP);
                if (!(Math.abs(difference - gradient[j]) <= TOLERANCE * scale)) {
                    fail(
                            "input "
                                    + i
                                    + ", element "
                                    + j
                                    + ": gradient "
                                    + gradient[j]
                                    + ", differences say "
                                    + difference);
                }
            }
        }
    }

    private static double at(
            NDManager manager,
            Function<NDArray[], NDArray> function,
            NDArray[] inputs,
            int which,
            int element,
            double step) {
        try (NDManager sub = manager.newSubManager()) {
            NDArray[] moved = new NDArray[inputs.length];
            for (int i = 0; i < inputs.length; i++) {
                double[] values = inputs[i].toDoubleArray();
                if (i == which) {
                    values[element] += step;
                }
                moved[i] = sub.create(values, inputs[i].getShape());
            }
            return function.apply(moved).toType(DataType.FLOAT64, false).getDouble();
        }
    }
}
