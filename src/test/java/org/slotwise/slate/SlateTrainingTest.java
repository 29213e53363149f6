package org.slotwise.slate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.Gradients;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.quantization.CosineTemperature;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.LearningRates;

/** Training steps beside the original's, and which loss trains what. */
@ExtendWith(OnDevice.class)
class SlateTrainingTest {

    private static final GumbelSoftmax SOFT = new GumbelSoftmax(1, false);

    @Test
    void threeStepsAreThoseOfTheOriginal(NDManager manager) {
        ReferenceCase reference = SlateCases.only("SlateTraining");
        Map<String, NDArray> arrays = reference.arrays(manager);
        Map<String, NDArray> in = ReferenceCase.under("in/", arrays);
        Slate slate = new Slate(SlateCases.sizes(reference));
        AgainstReference.load(manager, slate, DataType.FLOAT64, arrays);
        CosineTemperature temperature =
                new CosineTemperature(
                        reference.number("tau_start", 0),
                        reference.number("tau_final", 0),
                        reference.integer("tau_steps"));
        LearningRate main =
                LearningRate.warmUp(
                        reference.number("lr_main", 0), reference.integer("lr_warmup_steps"));
        LearningRates rates =
                LearningRates.of(main)
                        .with(
                                LearningRate.constant(reference.number("lr_dvae", 0)),
                                slate.dvae().getParameters().values());
        GradientClipping clipping =
                new GradientClipping(reference.number("clip", 0), GradientClipping.Norm.LARGEST);
        ParameterStore store = new ParameterStore(manager, false);
        try (Adam adam = Adam.builder().optLearningRate(rates).build()) {
            for (int t = 0; t < reference.integer("steps"); t++) {
                double tau = temperature.at(t);
                assertEquals(arrays.get("out/tau").getDouble(t), tau, 1e-12, "tau " + t);
                assertEquals(arrays.get("out/lr_main").getDouble(t), main.at(t + 1), 1e-15);
                try (GradientCollector collector =
                        Engine.getEngine("PyTorch").newGradientCollector()) {
                    SlateOutput out =
                            slate.step(
                                    store,
                                    in.get("images").get(t),
                                    new GumbelSoftmax(tau, reference.flag("hard")),
                                    SlateCases.noise(in, "/" + t),
                                    true);
                    close(arrays, "cross_entropy", t, out.crossEntropy().getDouble());
                    close(arrays, "mse", t, out.mse().getDouble());
                    collector.backward(out.loss());
                }
                close(arrays, "gradient_norm", t, clipping.clip(slate, manager).getDouble());
                for (Parameter parameter : slate.getParameters().values()) {
                    NDArray array = parameter.getArray();
                    adam.update(parameter.getId(), array, array.getGradient());
                }
            }
        }
        Map<String, NDArray> after = ReferenceCase.parameters(slate);
        ReferenceCase.under("out/after/", arrays)
                .forEach((name, array) -> assertClose(name, array, after.get(name), 1e-9));
    }

    private static void close(Map<String, NDArray> arrays, String what, int t, double got) {
        double expected = arrays.get("out/" + what).getDouble(t);
        assertEquals(expected, got, 1e-9 * Math.abs(expected), what + " of step " + t);
    }

    @Test
    void schedulesAreThoseOfTheOriginal(NDManager manager) {
        ReferenceCase reference = SlateCases.only("SlateSchedules");
        Map<String, NDArray> arrays = reference.arrays(manager);
        long[] steps = arrays.get("in/step").toLongArray();
        CosineTemperature temperature =
                new CosineTemperature(
                        reference.number("tau_start", 0),
                        reference.number("tau_final", 0),
                        reference.integer("tau_steps"));
        LearningRate rate = LearningRate.warmUp(1, reference.integer("lr_warmup_steps"));
        for (int i = 0; i < steps.length; i++) {
            String what = "step " + steps[i];
            assertEquals(arrays.get("out/tau").getDouble(i), temperature.at(steps[i]), 1e-12, what);
            assertEquals(arrays.get("out/warmup").getDouble(i), rate.at(steps[i] + 1), 1e-12, what);
        }
    }

    private static SlateOutput backward(
            NDManager manager, Slate slate, Function<SlateOutput, NDArray> loss) {
        slate.initialize(manager, DataType.FLOAT32, new Shape(2, 2, 8, 8));
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 2, 8, 8);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            SlateOutput out =
                    slate.step(
                            new ParameterStore(manager, false),
                            images,
                            SOFT,
                            SlateNoise.drawn(),
                            true);
            collector.backward(loss.apply(out));
            return out;
        }
    }

    /** None at all: not zeros. */
    @Test
    void theLossesShareNoGradient(NDManager manager) {
        Slate one = new Slate(SlateContractTest.small(0.1, false));
        backward(manager, one, SlateOutput::crossEntropy);
        ReferenceCase.parameters(one)
                .forEach((name, a) -> given(name, a, !name.startsWith("dvae.")));
        Slate other = new Slate(SlateContractTest.small(0.1, false));
        backward(manager, other, SlateOutput::mse);
        ReferenceCase.parameters(other)
                .forEach((name, a) -> given(name, a, name.startsWith("dvae.")));
    }

    private static void given(String name, NDArray parameter, boolean expected) {
        if (expected) {
            assertNotNull(Gradients.of(parameter), name);
        } else {
            assertNull(Gradients.of(parameter), name);
        }
    }

    /** One iteration after a stop: the slots' start learns nothing. */
    @Test
    void implicitDifferentiationStopsBeforeTheLastIteration(NDManager manager) {
        Slate slate = new Slate(SlateContractTest.small(0, true));
        backward(manager, slate, SlateOutput::crossEntropy);
        ReferenceCase.parameters(slate)
                .forEach(
                        (name, a) ->
                                given(
                                        name,
                                        a,
                                        !name.startsWith("dvae.")
                                                && !name.startsWith("slot_attn.slot_mu")
                                                && !name.startsWith("slot_attn.slot_log")));
    }

    @Test
    void whatIsNotGivenIsDrawn(NDManager manager) {
        Slate slate = new Slate(SlateContractTest.small(0.5, false));
        slate.initialize(manager, DataType.FLOAT32, new Shape(2, 2, 8, 8));
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 2, 8, 8);
        ParameterStore store = new ParameterStore(manager, false);
        double[] losses = new double[4];
        for (int i = 0; i < 4; i++) {
            manager.getEngine().setRandomSeed(i / 2 * 2);
            losses[i] =
                    slate.step(store, images, SOFT, SlateNoise.drawn(), i < 2).loss().getFloat();
        }
        assertEquals(losses[0], losses[1], "the engine's generator");
        assertEquals(losses[2], losses[3], "the engine's generator");
        manager.getEngine().setRandomSeed(0);
        double undropped =
                slate.step(store, images, SOFT, SlateNoise.drawn(), false).loss().getFloat();
        assertTrue(losses[0] != undropped, "dropout in training alone");
    }

    private static SlateNoise masked(NDManager manager, Slate slate, @Nullable NDArray tokens) {
        Map<String, NDArray> masks = new LinkedHashMap<>();
        slate.dropoutShapes(2)
                .forEach(
                        (name, shape) ->
                                masks.put(
                                        name,
                                        Tensors.uniform(
                                                manager,
                                                name.hashCode(),
                                                DataType.FLOAT64,
                                                shape.getShape())));
        NDArray slots = Tensors.normal(manager, 4, DataType.FLOAT64, 2, 3, 4);
        return new SlateNoise(null, tokens, slots, masks);
    }

    private static Map<String, double[]> gradients(Slate slate) {
        Map<String, double[]> gradients = new LinkedHashMap<>();
        ReferenceCase.parameters(slate)
                .forEach(
                        (name, array) -> {
                            NDArray gradient = Gradients.of(array);
                            if (gradient != null) {
                                gradients.put(name, Tensors.doubles(gradient));
                                Gradients.zero(array);
                            }
                        });
        return gradients;
    }

    /** A step's tokens, given back to it, have the same cross entropy and gradients. */
    @Test
    void knownTokensAreExplainedAsInAStep(NDManager manager) {
        for (boolean implicit : new boolean[] {false, true}) {
            Slate slate = new Slate(SlateContractTest.small(0.3, implicit));
            slate.initialize(manager, DataType.FLOAT64, new Shape(2, 2, 8, 8));
            NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT64, 2, 2, 8, 8);
            NDArray gumbel = Tensors.normal(manager, 3, DataType.FLOAT64, 2, 5, 2, 2);
            ParameterStore store = new ParameterStore(manager, false);
            SlateOutput step;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                step = slate.step(store, images, SOFT, masked(manager, slate, gumbel), true);
                collector.backward(step.crossEntropy());
            }
            Map<String, double[]> expected = gradients(slate);
            ExplainedTokens known;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                known = slate.explain(store, step.tokens(), masked(manager, slate, null), true);
                collector.backward(known.crossEntropy());
            }
            assertClose("cross entropy", step.crossEntropy(), known.crossEntropy(), 1e-12);
            assertClose("slots", step.slots(), known.slots(), 1e-12);
            assertClose("attention", step.attention(), known.attention(), 1e-12);
            Map<String, double[]> found = gradients(slate);
            assertEquals(expected.keySet(), found.keySet());
            assertTrue(expected.keySet().stream().noneMatch(name -> name.startsWith("dvae.")));
            expected.forEach((name, g) -> assertArrayEquals(g, found.get(name), 1e-12, name));
        }
    }

    /** Going back through one half before the next is recorded changes nothing but memory. */
    @Test
    void goingBackHalfByHalfGivesTheGradientsOfTheLoss(NDManager manager) {
        for (boolean implicit : new boolean[] {false, true}) {
            Slate slate = new Slate(SlateContractTest.small(0.3, implicit));
            slate.initialize(manager, DataType.FLOAT64, new Shape(2, 2, 8, 8));
            NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT64, 2, 2, 8, 8);
            NDArray gumbel = Tensors.normal(manager, 3, DataType.FLOAT64, 2, 5, 2, 2);
            SlateNoise given = masked(manager, slate, gumbel);
            NDArray codes = Tensors.normal(manager, 5, DataType.FLOAT64, 2, 5, 2, 2);
            SlateNoise noise =
                    new SlateNoise(codes, given.tokens(), given.slots(), given.dropout());
            ParameterStore store = new ParameterStore(manager, false);
            SlateOutput whole;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                whole = slate.step(store, images, SOFT, noise, true);
                collector.backward(whole.loss());
            }
            Map<String, double[]> expected = gradients(slate);
            SlateOutput halves;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                halves = slate.backward(store, images, SOFT, noise, collector::backward);
            }
            NDList values = halves.toNDList();
            whole.toNDList()
                    .forEach(a -> assertClose(a.getName(), a, values.get(a.getName()), 1e-12));
            Map<String, double[]> found = gradients(slate);
            assertEquals(expected.keySet(), found.keySet());
            expected.forEach((name, g) -> assertArrayEquals(g, found.get(name), 1e-12, name));
        }
    }

    @Test
    void knownTokensAreChecked(NDManager manager) {
        Slate slate = new Slate(SlateContractTest.small(0.3, false));
        slate.initialize(manager, DataType.FLOAT32, new Shape(2, 2, 8, 8));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray tokens = manager.zeros(new Shape(2, 4), DataType.INT64);
        SlateNoise drawn = SlateNoise.drawn();
        assertRefused(
                "Slate: tokens must be (B, 4), got (2, 3)",
                () ->
                        slate.explain(
                                store,
                                manager.zeros(new Shape(2, 3), DataType.INT64),
                                drawn,
                                false));
        assertRefused(
                "Slate: where tokens are known there must be no draws for codes and tokens",
                () ->
                        slate.explain(
                                store,
                                tokens,
                                new SlateNoise(
                                        null, manager.zeros(new Shape(2, 5, 2, 2)), null, Map.of()),
                                false));
        assertThrows(
                IllegalArgumentException.class,
                () -> slate.explain(store, tokens.toType(DataType.INT32, false), drawn, false));
        assertThrows(
                IllegalArgumentException.class,
                () -> slate.explain(store, tokens, masked(manager, slate, null), false),
                "noise of another type than the parameters");
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        slate.explain(
                                store,
                                tokens,
                                new SlateNoise(
                                        null, null, manager.zeros(new Shape(1, 3, 4)), Map.of()),
                                false));
    }
}
