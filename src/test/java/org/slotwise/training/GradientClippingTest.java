package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class GradientClippingTest {

    static Stream<TorchCases> torch() {
        return TorchCases.of("clip");
    }

    /** Gives each parameter a gradient, by the gradient of sum(parameter * gradient). */
    private static void backward(List<Parameter> parameters, List<NDArray> gradients) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray loss = null;
            for (int i = 0; i < parameters.size(); i++) {
                NDArray term = parameters.get(i).getArray().mul(gradients.get(i)).sum();
                loss = loss == null ? term : loss.add(term);
            }
            collector.backward(loss);
        }
    }

    private static NDArray gradient(Parameter parameter) {
        return parameter.getArray().getGradient();
    }

    @ParameterizedTest
    @MethodSource("torch")
    void clipsAsPyTorchDoes(TorchCases example, NDManager manager) {
        List<Parameter> parameters = new ArrayList<>();
        List<NDArray> before = new ArrayList<>();
        for (int i = 0; i < example.list("shapes").size(); i++) {
            long[] shape = TorchCases.longs(example.list("shapes").get(i));
            parameters.add(AdamTest.parameter(manager, "p" + i, DataType.FLOAT32, shape));
            before.add(
                    TorchCases.array(
                            manager, example.list("before").get(i), DataType.FLOAT32, shape));
        }
        backward(parameters, before);
        NDArray norm =
                new GradientClipping(example.json().get("bound").getAsDouble())
                        .clip(parameters, manager);
        double expected = example.json().get("norm").getAsDouble();
        assertEquals(new Shape(), norm.getShape());
        assertEquals(expected, norm.getFloat(), 1e-6 * expected);
        for (int i = 0; i < parameters.size(); i++) {
            NDArray after =
                    TorchCases.array(
                            manager,
                            example.list("after").get(i),
                            DataType.FLOAT32,
                            before.get(i).getShape().getShape());
            assertClose("gradient " + i, after, gradient(parameters.get(i)), 1e-6);
        }
    }

    @Test
    void float64(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT64, 2);
        backward(List.of(parameter), List.of(manager.create(new double[] {3, 4})));
        NDArray norm = new GradientClipping(2.5).clip(List.of(parameter), manager);
        assertEquals(DataType.FLOAT64, norm.getDataType());
        assertEquals(5, norm.getDouble(), 1e-14);
        double scale = 2.5 / (5 + 1e-6);
        assertArrayEquals(
                new double[] {3 * scale, 4 * scale}, gradient(parameter).toDoubleArray(), 1e-14);
    }

    /** PyTorch's {@code norm_type="inf"}. */
    @Test
    void byTheLargestMagnitude(NDManager manager) {
        Parameter a = AdamTest.parameter(manager, "a", DataType.FLOAT64, 2);
        Parameter b = AdamTest.parameter(manager, "b", DataType.FLOAT64, 1);
        backward(
                List.of(a, b),
                List.of(manager.create(new double[] {3, -4}), manager.create(new double[] {2})));
        NDArray norm =
                new GradientClipping(1, GradientClipping.Norm.LARGEST).clip(List.of(a, b), manager);
        assertEquals(4, norm.getDouble());
        double scale = 1 / (4 + 1e-6);
        assertArrayEquals(new double[] {3 * scale, -4 * scale}, gradient(a).toDoubleArray(), 1e-14);
        assertArrayEquals(new double[] {2 * scale}, gradient(b).toDoubleArray(), 1e-14);
    }

    @Test
    void typesMayDiffer(NDManager manager) {
        Parameter a = AdamTest.parameter(manager, "a", DataType.FLOAT32, 1);
        Parameter b = AdamTest.parameter(manager, "b", DataType.FLOAT64, 1);
        NDArray three = manager.create(new float[] {3});
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(a.getArray().mul(three).sum());
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(b.getArray().mul(manager.create(new double[] {4})).sum());
        }
        NDArray norm = new GradientClipping(1).clip(List.of(a, b), manager);
        assertEquals(5, norm.getFloat(), 1e-6);
        assertEquals(0.6f, gradient(a).getFloat(), 1e-6f);
        assertEquals(0.8, gradient(b).getDouble(), 1e-6);
    }

    @Test
    void infinityOnlyMeasures(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT32, 2);
        backward(List.of(parameter), List.of(manager.create(new float[] {3e9f, 4e9f})));
        NDArray norm =
                new GradientClipping(Double.POSITIVE_INFINITY).clip(List.of(parameter), manager);
        assertEquals(5e9f, norm.getFloat());
        assertArrayEquals(new float[] {3e9f, 4e9f}, gradient(parameter).toFloatArray());
    }

    @Test
    void nanIsSeenInTheNorm(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT32, 2);
        backward(List.of(parameter), List.of(manager.create(new float[] {Float.NaN, 1})));
        NDArray norm = new GradientClipping(1).clip(List.of(parameter), manager);
        assertEquals(Float.NaN, norm.getFloat());
        assertArrayEquals(new float[] {Float.NaN, Float.NaN}, gradient(parameter).toFloatArray());
    }

    @Test
    void zeroGradientsStay(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT32, 2);
        backward(List.of(parameter), List.of(manager.zeros(new Shape(2))));
        assertEquals(0, new GradientClipping(1).clip(List.of(parameter), manager).getFloat());
        assertArrayEquals(new float[] {0, 0}, gradient(parameter).toFloatArray());
    }

    @Test
    void frozenAndUnusedParametersArePassedOver(NDManager manager) {
        Parameter used = AdamTest.parameter(manager, "used", DataType.FLOAT32, 2);
        Parameter unused = AdamTest.parameter(manager, "unused", DataType.FLOAT64, 2);
        Parameter frozen = AdamTest.parameter(manager, "frozen", DataType.FLOAT32, 2);
        Parameter uninitialised =
                Parameter.builder().setName("u").setType(Parameter.Type.WEIGHT).build();
        backward(
                List.of(used, frozen),
                List.of(
                        manager.create(new float[] {3, 4}),
                        manager.create(new float[] {300, 400})));
        frozen.freeze(true);
        NDArray norm =
                new GradientClipping(1).clip(List.of(unused, frozen, uninitialised, used), manager);
        assertEquals(5, norm.getFloat(), 1e-6);
        assertArrayEquals(new float[] {0.6f, 0.8f}, gradient(used).toFloatArray(), 1e-6f);
    }

    @Test
    void clipsABlocksParameters(NDManager manager) {
        Linear linear = Linear.builder().setUnits(1).build();
        linear.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        List<Parameter> parameters = linear.getParameters().values();
        parameters.forEach(p -> p.getArray().setRequiresGradient(true));
        List<NDArray> gradients = new ArrayList<>();
        parameters.forEach(p -> gradients.add(p.getArray().onesLike()));
        backward(parameters, gradients);
        // Two weights and a bias.
        NDArray norm = new GradientClipping(1).clip(linear, manager);
        assertEquals(Math.sqrt(3), norm.getFloat(), 1e-6);
        for (Parameter parameter : parameters) {
            assertEquals(Math.sqrt(1 / 3.0), gradient(parameter).toFloatArray()[0], 1e-6);
        }
    }

    @Test
    void leavesNothingButTheNorm(NDManager manager) {
        try (NDManager weights = manager.newSubManager();
                NDManager step = manager.newSubManager()) {
            Parameter parameter = AdamTest.parameter(weights, "p", DataType.FLOAT32, 2);
            backward(List.of(parameter), List.of(manager.create(new float[] {3, 4})));
            int before = weights.getManagedArrays().size();
            GradientClipping clipping = new GradientClipping(1);
            NDArray norm = clipping.clip(List.of(parameter), step);
            assertEquals(before, weights.getManagedArrays().size());
            assertEquals(List.of(norm), step.getManagedArrays());
            // An enclosing scope frees the norm too, and the gradient stays.
            NDScope scope = new NDScope();
            try {
                clipping.clip(List.of(parameter), step);
            } finally {
                scope.close();
            }
            assertEquals(1, step.getManagedArrays().size());
            assertEquals(before, weights.getManagedArrays().size());
            assertEquals(0.6f, gradient(parameter).getFloat(0), 1e-5f);
        }
    }

    /** In a thread of its own, where the engine records graphs by default. */
    @Test
    void worksInEveryThread(NDManager manager) {
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT32, 2);
        backward(List.of(parameter), List.of(manager.create(new float[] {3, 4})));
        NDArray norm =
                CompletableFuture.supplyAsync(
                                () -> new GradientClipping(1).clip(List.of(parameter), manager),
                                task -> {
                                    Thread thread = new Thread(task);
                                    thread.start();
                                })
                        .join();
        assertEquals(5, norm.getFloat(), 1e-6);
    }

    @Test
    void refuses(NDManager manager) {
        for (double bad : new double[] {0, -1, Double.NaN}) {
            assertRefused(
                    "GradientClipping: maxNorm must be above 0, got " + bad,
                    () -> new GradientClipping(bad));
        }
        Parameter parameter = AdamTest.parameter(manager, "p", DataType.FLOAT32, 2);
        String message =
                "GradientClipping: no parameter has a gradient; clip after the backward pass, with"
                        + " the parameters on the device on which they are trained";
        assertEquals(
                message,
                assertThrows(
                                IllegalStateException.class,
                                () -> new GradientClipping(1).clip(List.of(parameter), manager))
                        .getMessage());
        assertEquals(
                message,
                assertThrows(
                                IllegalStateException.class,
                                () -> new GradientClipping(1).clip(List.of(), manager))
                        .getMessage());
    }
}
