package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.tracker.Tracker;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Ops;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class AdamTest {

    static Stream<TorchCases> torch() {
        return TorchCases.of("adam");
    }

    @ParameterizedTest
    @MethodSource("torch")
    void takesTheStepsOfPyTorch(TorchCases example, NDManager manager) {
        double[] rates = TorchCases.doubles(example.list("rates"));
        LearningRate rate = step -> rates[(int) step - 1];
        Adam adam =
                Adam.builder()
                        .optLearningRate(rate)
                        .optBeta1(example.beta(0, 0.9))
                        .optBeta2(example.beta(1, 0.999))
                        .optEps(example.option("eps", 1e-8))
                        .optWeightDecay(example.option("weight_decay", 0))
                        .optDecoupledWeightDecay(example.json().get("decoupled").getAsBoolean())
                        .build();
        DataType type = example.type();
        // Within a few roundings.
        double tolerance = type == DataType.FLOAT64 ? 1e-14 : 1e-6;
        Parameter parameter = parameter(manager, "w", type, 3, 2);
        NDArray weight = parameter.getArray();
        Ops.overwrite(weight, TorchCases.array(manager, example.list("start"), type, 3, 2));
        for (int step = 0; step < rates.length; step++) {
            adam.update(
                    parameter.getId(),
                    weight,
                    TorchCases.array(manager, example.list("gradients").get(step), type, 3, 2));
            assertClose(
                    "step " + (step + 1),
                    TorchCases.array(manager, example.list("weights").get(step), type, 3, 2),
                    weight,
                    tolerance);
        }
        Map<String, NDArray> state = adam.state(manager, Map.of("w", parameter));
        for (String moment : new String[] {"exp_avg", "exp_avg_sq"}) {
            assertClose(
                    moment,
                    TorchCases.array(manager, example.list(moment), type, 3, 2),
                    state.get("w." + moment),
                    tolerance);
        }
        assertArrayEquals(new long[] {rates.length}, state.get("w.step").toLongArray());
        assertEquals(rates.length, adam.step());
    }

    @Test
    void howNumbersLieInMemoryMakesNoDifference(NDManager manager) {
        NDArray start = manager.randomNormal(new Shape(3, 5));
        NDArray gradient = manager.randomNormal(new Shape(3, 5));
        NDArray row = start.duplicate();
        NDArray turned = start.transpose().duplicate().transpose();
        NDArray turnedGradient = gradient.transpose().duplicate().transpose();
        Adam adam = Adam.builder().build();
        for (int step = 0; step < 3; step++) {
            adam.update("row", row, gradient);
            adam.update("turned", turned, gradient);
            adam.update("other", start, turnedGradient);
        }
        assertClose("weight by columns", row, turned, 1e-7);
        assertClose("gradient by columns", row, start, 1e-7);
    }

    static Parameter parameter(NDManager manager, String name, DataType type, long... shape) {
        Parameter parameter =
                Parameter.builder()
                        .setName(name)
                        .setType(Parameter.Type.WEIGHT)
                        .optShape(new Shape(shape))
                        .optInitializer(Initializer.ONES)
                        .build();
        parameter.initialize(manager, type);
        parameter.getArray().setRequiresGradient(true);
        return parameter;
    }

    private static NDArray trainable(NDManager manager) {
        NDArray weight = manager.ones(new Shape(2));
        weight.setRequiresGradient(true);
        return weight;
    }

    /** Gradient of the sum of squares: 2 w, added to what is there. */
    private static void backward(NDArray weight) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(weight.square().sum());
        }
    }

    @Test
    void setsTheGradientToZero(NDManager manager) {
        NDArray weight = trainable(manager);
        Adam adam = Adam.builder().build();
        backward(weight);
        assertArrayEquals(new float[] {2, 2}, weight.getGradient().toFloatArray());
        try (NDArray gradient = weight.getGradient()) {
            adam.update("w", weight, gradient);
        }
        assertArrayEquals(new float[] {0, 0}, weight.getGradient().toFloatArray());
        float expected = 2 * weight.getFloat(0);
        backward(weight);
        assertEquals(expected, weight.getGradient().getFloat(0));
    }

    @Test
    void theGradientGivenStaysAsItIs(NDManager manager) {
        NDArray weight = trainable(manager);
        NDArray gradient = manager.create(new float[] {3, -4});
        Adam.builder().optWeightDecay(0.5).build().update("w", weight, gradient);
        assertArrayEquals(new float[] {3, -4}, gradient.toFloatArray());
    }

    @Test
    void momentsSurviveScopes(NDManager manager) {
        float[][] results = new float[2][];
        for (int scoped = 0; scoped < 2; scoped++) {
            NDArray weight = trainable(manager);
            Adam adam = Adam.builder().optLearningRate(LearningRate.constant(0.1)).build();
            for (int step = 0; step < 3; step++) {
                NDScope scope = scoped == 1 ? new NDScope() : null;
                backward(weight);
                adam.update("w", weight, weight.getGradient());
                if (scope != null) {
                    scope.close();
                }
            }
            results[scoped] = weight.toFloatArray();
        }
        assertArrayEquals(results[0], results[1]);
        assertTrue(results[0][0] < 0.75f, "it moves");
    }

    @Test
    void leavesNothingButTheMoments(NDManager manager) {
        try (NDManager weights = manager.newSubManager();
                NDManager gradients = manager.newSubManager()) {
            NDArray weight = trainable(weights);
            NDArray gradient = gradients.ones(new Shape(2));
            Adam adam = Adam.builder().optWeightDecay(0.1).build();
            for (int step = 0; step < 3; step++) {
                adam.update("w", weight, gradient);
                assertEquals(1 + 2, weights.getManagedArrays().size());
                assertEquals(1, gradients.getManagedArrays().size());
            }
            adam.close();
            assertEquals(1, weights.getManagedArrays().size());
            assertEquals(0, adam.step());
            adam.update("w", weight, gradient);
            assertEquals(1, adam.step());
        }
        // Closed with the weights' manager: nothing is left anywhere, as OnDevice checks.
    }

    /** In a thread of its own, where the engine records graphs by default. */
    @Test
    void worksInEveryThread(NDManager manager) {
        NDArray weight = trainable(manager);
        Adam adam = Adam.builder().optLearningRate(LearningRate.constant(0.5)).build();
        CompletableFuture.runAsync(
                        () -> adam.update("w", weight, manager.ones(new Shape(2))),
                        task -> {
                            Thread thread = new Thread(task);
                            thread.start();
                        })
                .join();
        assertEquals(0.5f, weight.getFloat(0), 1e-6f);
    }

    @Test
    void eachParameterCountsItsOwnUpdates(NDManager manager) {
        // A parameter that joins late starts with a full first step, at the rate of the step.
        Adam adam =
                Adam.builder().optLearningRate((LearningRate) step -> step).optEps(1e-30).build();
        NDArray early = manager.zeros(new Shape(1), DataType.FLOAT64);
        NDArray late = manager.zeros(new Shape(1), DataType.FLOAT64);
        NDArray gradient = manager.ones(new Shape(1), DataType.FLOAT64);
        for (int step = 0; step < 3; step++) {
            adam.update("early", early, gradient);
        }
        adam.update("late", late, gradient);
        assertEquals(3, adam.step());
        assertEquals(-(1 + 2 + 3), early.getDouble(), 1e-12);
        assertEquals(-3, late.getDouble(), 1e-12);
        adam.update("late", late, gradient);
        assertEquals(3, adam.step());
        adam.update("early", early, gradient);
        assertEquals(4, adam.step());
    }

    @Test
    void takesDjlsTrackers(NDManager manager) {
        NDArray weight = manager.zeros(new Shape(1));
        Adam adam = Adam.builder().optLearningRate(Tracker.fixed(0.25f)).build();
        adam.update("w", weight, manager.ones(new Shape(1)));
        assertEquals(-0.25f, weight.getFloat(0), 1e-6f);
    }

    /** DJL makes float32 zeros for a float64 parameter without gradient. */
    @Test
    void aParameterWithoutGradientStays(NDManager manager) {
        NDArray weight = manager.ones(new Shape(2), DataType.FLOAT64);
        weight.setRequiresGradient(true);
        NDArray missing = weight.getGradient();
        assertEquals(DataType.FLOAT32, missing.getDataType());
        Adam.builder().build().update("w", weight, missing);
        assertSame("weight", manager.ones(new Shape(2), DataType.FLOAT64), weight);
    }

    @Test
    void scalarsAndEmptyGradients(NDManager manager) {
        NDArray scalar = manager.ones(new Shape());
        Adam adam = Adam.builder().build();
        adam.update("s", scalar, manager.ones(new Shape()));
        assertEquals(1 - 1e-3f, scalar.getFloat(), 1e-7f);
    }

    @Test
    void nanStaysInItsElement(NDManager manager) {
        NDArray weight = manager.ones(new Shape(2));
        Adam adam = Adam.builder().build();
        adam.update("w", weight, manager.create(new float[] {Float.NaN, 1}));
        assertEquals(Float.NaN, weight.getFloat(0));
        assertEquals(1 - 1e-3f, weight.getFloat(1), 1e-6f);
    }

    @Test
    void refusesWeights(NDManager manager) {
        Adam adam = Adam.builder().build();
        NDArray weight = manager.ones(new Shape(2));
        NDArray gradient = manager.ones(new Shape(2));
        assertRefused(
                "Adam: parameter w must be float32 or float64, got float16",
                () -> adam.update("w", manager.ones(new Shape(2), DataType.FLOAT16), gradient));
        assertRefused(
                "Adam: the gradient must be (2), got (3)",
                () -> adam.update("w", weight, manager.ones(new Shape(3))));
        assertRefused(
                "Adam: the gradient must be on "
                        + weight.getDevice()
                        + " as the weight, got gpu(7)",
                () -> adam.update("w", weight, FakeArray.on(Device.gpu(7), gradient)));
        assertEquals(0, adam.step());
        adam.update("w", weight, gradient);
        NDArray other = manager.ones(new Shape(2), DataType.FLOAT64);
        assertRefused(
                "Adam: the weight must be float32 as before, got float64",
                () -> adam.update("w", other, other));
        NDArray larger = manager.ones(new Shape(3));
        assertRefused(
                "Adam: the weight must be (2), got (3)", () -> adam.update("w", larger, larger));
        NDArray elsewhere = FakeArray.on(Device.gpu(7), weight);
        assertRefused(
                "Adam: parameter w must stay on "
                        + weight.getDevice()
                        + ", where its moments are, got gpu(7); a trainer must have one device:"
                        + " optDevices(new Device[] {device})",
                () -> adam.update("w", elsewhere, FakeArray.on(Device.gpu(7), gradient)));
        assertEquals(1, adam.step());
    }

    @Test
    void refusesRates(NDManager manager) {
        NDArray weight = manager.ones(new Shape(2));
        Adam adam = Adam.builder().optLearningRate((LearningRate) step -> Double.NaN).build();
        assertRefused(
                "Adam: the learning rate of step 1 must be finite, got NaN",
                () -> adam.update("w", weight, weight.duplicate()));
        assertSame("weight", manager.ones(new Shape(2)), weight);
    }

    @Test
    void refusesOptions() {
        assertRefused(
                "Adam: beta1 must be from 0 to below 1, got 1.0",
                () -> Adam.builder().optBeta1(1).build());
        assertRefused(
                "Adam: beta1 must be from 0 to below 1, got -0.1",
                () -> Adam.builder().optBeta1(-0.1).build());
        assertRefused(
                "Adam: beta2 must be from 0 to below 1, got NaN",
                () -> Adam.builder().optBeta2(Double.NaN).build());
        assertRefused(
                "Adam: eps must be at least 1.4E-45, got 0.0",
                () -> Adam.builder().optEps(0).build());
        assertRefused(
                "Adam: weightDecay must be at least 0, got -1.0",
                () -> Adam.builder().optWeightDecay(-1).build());
    }

    @Test
    void normalDrawsTrain(NDManager manager) {
        NDArray target = Tensors.normal(manager, 1, 3, 4);
        NDArray weight = manager.zeros(new Shape(3, 4));
        weight.setRequiresGradient(true);
        Adam adam = Adam.builder().optLearningRate(LearningRate.constant(0.1)).build();
        for (int step = 0; step < 300; step++) {
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                collector.backward(weight.sub(target).square().sum());
            }
            adam.update("w", weight, weight.getGradient());
        }
        assertClose("minimum", target, weight.duplicate(), 1e-2);
    }
}
