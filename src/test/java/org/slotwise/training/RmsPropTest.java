package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

/** The steps of PyTorch's RMSprop; whole trainings beside it are held by GNM's tests. */
@ExtendWith(OnDevice.class)
class RmsPropTest {

    private static double expected(double[] gradients, double decay) {
        double w = 2;
        double v = 0;
        for (double gradient : gradients) {
            double g = gradient + decay * w;
            v = 0.9 * v + 0.1 * g * g;
            w -= 0.01 * g / (Math.sqrt(v) + 1e-3);
        }
        return w;
    }

    private static RmsProp optimizer(double decay) {
        return RmsProp.builder()
                .optLearningRate(LearningRate.constant(0.01))
                .optAlpha(0.9)
                .optEps(1e-3)
                .optWeightDecay(decay)
                .build();
    }

    private static double stepped(NDManager manager, RmsProp optimizer, double... gradients) {
        NDArray weight = manager.create(new double[] {2});
        for (double gradient : gradients) {
            optimizer.update("w", weight, manager.create(new double[] {gradient}));
        }
        return weight.getDouble();
    }

    @Test
    void stepsAreThoseOfTheEquations(NDManager manager) {
        double[] gradients = {0.5, -3, 1e-7, 0};
        for (double decay : new double[] {0, 0.1}) {
            try (RmsProp optimizer = optimizer(decay)) {
                assertEquals(
                        expected(gradients, decay), stepped(manager, optimizer, gradients), 1e-14);
            }
        }
    }

    @Test
    void theFirstStepIsTenRatesLong(NDManager manager) {
        try (RmsProp optimizer =
                RmsProp.builder().optLearningRate(LearningRate.constant(1e-4)).build()) {
            assertEquals(2 - 1e-3, stepped(manager, optimizer, 1e-2), 1e-8);
        }
    }

    @Test
    void theStateCanBeRestored(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "w", DataType.FLOAT64, 1);
        parameter.getArray().set(new double[] {2});
        NDArray gradient = manager.create(new double[] {0.5});
        try (RmsProp first = optimizer(0);
                RmsProp second = optimizer(0)) {
            first.update(parameter.getId(), parameter.getArray(), gradient);
            Map<String, Parameter> named = Map.of("w", parameter);
            Map<String, NDArray> state = first.state(manager, named);
            assertEquals(
                    Map.of("w.square_avg", new Shape(1), "w.step", new Shape(1)),
                    Map.of(
                            "w.square_avg", state.get("w.square_avg").getShape(),
                            "w.step", state.get("w.step").getShape()));
            assertEquals(2, state.size());
            second.restore(named, state);
            assertEquals(1, second.step());
            double before = parameter.getArray().getDouble();
            second.update(parameter.getId(), parameter.getArray(), gradient);
            double v = 0.9 * 0.1 * 0.25 + 0.1 * 0.25;
            assertEquals(
                    before - 0.01 * 0.5 / (Math.sqrt(v) + 1e-3),
                    parameter.getArray().getDouble(),
                    1e-14);
            assertRefused(
                    "RmsProp: w.square_avg is missing",
                    () -> second.restore(named, Map.of("w.step", state.get("w.step"))));
            // Adam's moments are none of this one's.
            assertTrue(
                    assertRefusedState(second, named, Map.of("w.exp_avg", gradient))
                            .contains("no parameters for the state"));
        }
    }

    private static String assertRefusedState(
            RmsProp optimizer, Map<String, Parameter> named, Map<String, NDArray> state) {
        try {
            optimizer.restore(named, state);
            return "restored";
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
    }

    @Test
    void optionsAreChecked(NDManager manager) {
        assertRefused(
                "RmsProp: alpha must be from 0 to below 1, got 1.0",
                () -> RmsProp.builder().optAlpha(1).build());
        assertRefused(
                "RmsProp: eps must be at least 1.4E-45, got 0.0",
                () -> RmsProp.builder().optEps(0).build());
        assertRefused(
                "RmsProp: weightDecay must be at least 0, got -1.0",
                () -> RmsProp.builder().optWeightDecay(-1).build());
        try (RmsProp optimizer = optimizer(0)) {
            NDArray weight = manager.ones(new Shape(2));
            assertRefused(
                    "RmsProp: the gradient must be (2), got (3)",
                    () -> optimizer.update("w", weight, manager.ones(new Shape(3))));
            assertArrayEquals(new float[] {1, 1}, weight.toFloatArray());
        }
    }
}
