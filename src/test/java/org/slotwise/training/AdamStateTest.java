package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

@ExtendWith(OnDevice.class)
class AdamStateTest {

    /** A rate that changes with the step, to see that the step is restored. */
    private static final LearningRate RATE = LearningRate.exponentialDecay(0.1, 3, 2, 0.5);

    private Adam adam;
    private Map<String, Parameter> parameters;

    @BeforeEach
    void setUp(NDManager manager) {
        adam = Adam.builder().optLearningRate(RATE).build();
        parameters = parameters(manager);
        for (int step = 0; step < 4; step++) {
            update(manager, adam, parameters, step);
        }
    }

    private static Map<String, Parameter> parameters(NDManager manager) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        parameters.put("to_q.weight", AdamTest.parameter(manager, "w", DataType.FLOAT32, 2, 3));
        parameters.put("kernel_logvar", AdamTest.parameter(manager, "k", DataType.FLOAT64));
        parameters.put("never.trained", AdamTest.parameter(manager, "n", DataType.FLOAT32, 2));
        return parameters;
    }

    private static void update(
            NDManager manager, Adam adam, Map<String, Parameter> parameters, int step) {
        for (String name : List.of("to_q.weight", "kernel_logvar")) {
            Parameter parameter = parameters.get(name);
            NDArray weight = parameter.getArray();
            adam.update(
                    parameter.getId(),
                    weight,
                    Tensors.normal(
                            manager, step, weight.getDataType(), weight.getShape().getShape()));
        }
    }

    private static Map<String, NDArray> weights(Map<String, Parameter> parameters) {
        Map<String, NDArray> weights = new LinkedHashMap<>();
        parameters.forEach((name, p) -> weights.put(name, p.getArray()));
        return weights;
    }

    @Test
    void namesTypesAndOwner(NDManager manager) {
        try (NDManager owner = manager.newSubManager()) {
            int before = manager.getManagedArrays().size();
            Map<String, NDArray> state = adam.state(owner, parameters);
            assertEquals(
                    List.of(
                            "to_q.weight.exp_avg",
                            "to_q.weight.exp_avg_sq",
                            "to_q.weight.step",
                            "kernel_logvar.exp_avg",
                            "kernel_logvar.exp_avg_sq",
                            "kernel_logvar.step"),
                    List.copyOf(state.keySet()));
            state.values().forEach(array -> assertEquals(owner, array.getManager()));
            assertEquals(before + 6, manager.getManagedArrays().size());
            assertEquals(new Shape(2, 3), state.get("to_q.weight.exp_avg").getShape());
            assertEquals(DataType.FLOAT64, state.get("kernel_logvar.exp_avg_sq").getDataType());
            assertEquals(DataType.INT64, state.get("kernel_logvar.step").getDataType());
            // Copies: training on changes the moments, not what was taken.
            NDArray first = state.get("to_q.weight.exp_avg");
            NDArray then = first.duplicate();
            update(manager, adam, parameters, 9);
            assertSame("copy", then, first);
            assertNotSame(first, adam.state(owner, parameters).get("to_q.weight.exp_avg"));
        }
    }

    /** Written, read, restored into new parameters and a new optimizer: training goes on alike. */
    @ParameterizedTest
    @EnumSource(StateDictFormat.class)
    void trainingGoesOnFromAFile(StateDictFormat format, NDManager manager) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        StateDict.of(adam.state(manager, parameters)).write(file, format);

        Map<String, Parameter> copies = parameters(manager);
        weights(copies).forEach((name, w) -> Ops.overwrite(w, parameters.get(name).getArray()));
        Adam restored = Adam.builder().optLearningRate(RATE).build();
        try (StateDict read = StateDict.read(new ByteArrayInputStream(file.toByteArray()))) {
            restored.restore(copies, read.arrays());
        }
        assertEquals(4, restored.step());
        for (int step = 4; step < 7; step++) {
            update(manager, adam, parameters, step);
            update(manager, restored, copies, step);
        }
        weights(parameters)
                .forEach((name, weight) -> assertSame(name, weight, copies.get(name).getArray()));
        assertEquals(7, restored.step());
    }

    @Test
    void restoringReplacesWhatWasThere(NDManager manager) {
        Map<String, NDArray> state = adam.state(manager, parameters);
        update(manager, adam, parameters, 5);
        int before = manager.getManagedArrays().size();
        adam.restore(parameters, state);
        assertEquals(before, manager.getManagedArrays().size());
        assertEquals(4, adam.step());
        Map<String, NDArray> again = adam.state(manager, parameters);
        state.forEach((name, array) -> assertSame(name, array, again.get(name)));
        // Nothing known: everything starts anew.
        adam.restore(parameters, Map.of());
        assertEquals(0, adam.step());
        assertTrue(adam.state(manager, parameters).isEmpty());
    }

    @Test
    void theStateMayBeClosedAfterwards(NDManager manager) {
        try (NDManager owner = manager.newSubManager()) {
            adam.restore(parameters, adam.state(owner, parameters));
        }
        update(manager, adam, parameters, 4);
        assertEquals(5, adam.step());
    }

    /** Weights are read on a CPU, and trained on a GPU afterwards. */
    @Test
    void restoredMomentsFollowTheWeight(NDManager manager) {
        assumeTrue(OnDevice.device().isGpu(), "needs a second device");
        Map<String, NDArray> state = adam.state(manager, parameters);
        Adam restored = Adam.builder().optLearningRate(RATE).build();
        try (NDManager host = manager.newSubManager(Device.cpu())) {
            Parameter onHost = AdamTest.parameter(host, "w", DataType.FLOAT32, 2, 3);
            Parameter trained = parameters.get("to_q.weight");
            state.keySet().removeIf(name -> !name.startsWith("to_q.weight"));
            restored.restore(Map.of("to_q.weight", onHost), state);
            NDArray weight = trained.getArray().duplicate();
            restored.update(onHost.getId(), weight, Tensors.normal(manager, 4, 2, 3));
            update(manager, adam, parameters, 4);
            assertSame("weight", trained.getArray().duplicate(), weight);
        }
    }

    private void refused(String message, NDManager manager, String name, NDArray array) {
        Map<String, NDArray> state = adam.state(manager, parameters);
        if (array == null) {
            state.remove(name);
        } else {
            state.put(name, array);
        }
        Map<String, NDArray> before = adam.state(manager, parameters);
        assertRefused("Adam: " + message, () -> adam.restore(parameters, state));
        Map<String, NDArray> after = adam.state(manager, parameters);
        before.forEach((key, value) -> assertSame(key, value, after.get(key)));
        assertEquals(4, adam.step());
    }

    @Test
    void refusesStatesThatDoNotFit(NDManager manager) {
        refused(
                "there are no parameters for the state of [other.exp_avg]",
                manager,
                "other.exp_avg",
                manager.ones(new Shape(1)));
        refused("to_q.weight.exp_avg_sq is missing", manager, "to_q.weight.exp_avg_sq", null);
        refused("kernel_logvar.step is missing", manager, "kernel_logvar.step", null);
        refused(
                "to_q.weight.exp_avg must be (2, 3), got (3, 2)",
                manager,
                "to_q.weight.exp_avg",
                manager.ones(new Shape(3, 2)));
        refused(
                "to_q.weight.exp_avg must be float32 as the parameter, got float64",
                manager,
                "to_q.weight.exp_avg",
                manager.ones(new Shape(2, 3), DataType.FLOAT64));
        refused(
                "to_q.weight.step must be one whole number from 1, got 0.0",
                manager,
                "to_q.weight.step",
                manager.zeros(new Shape(1), DataType.INT64));
        refused(
                "to_q.weight.step must be one whole number from 1, got 1.5",
                manager,
                "to_q.weight.step",
                manager.create(new float[] {1.5f}));
        refused(
                "to_q.weight.step must be one whole number from 1, got (2)",
                manager,
                "to_q.weight.step",
                manager.ones(new Shape(2), DataType.INT64));
    }
}
