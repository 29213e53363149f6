package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** A step that goes back by itself has the gradients of the loss. */
@ExtendWith(OnDevice.class)
class LatentSlotDiffusionStepTest {

    private static final int BATCH = 3;

    /** The gradients of all that learns, which are zero then. */
    private static Map<String, NDArray> gradients(
            LatentSlotDiffusion model, ToDoubleFunction<GradientCollector> step, double[] loss) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            loss[0] = step.applyAsDouble(collector);
        }
        Map<String, NDArray> gradients = new TreeMap<>();
        StateDict.parameters(model)
                .forEach(
                        (name, p) -> {
                            if (p.requiresGradient()) {
                                gradients.put(name, taken(p));
                            }
                        });
        return gradients;
    }

    private static NDArray taken(Parameter parameter) {
        try (NDArray gradient = parameter.getArray().getGradient()) {
            NDArray copy = gradient.duplicate();
            gradient.subi(copy);
            return copy;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsAreThoseOfTheLoss(boolean slotsLearn, NDManager manager) {
        LatentSlotDiffusion model =
                LatentSlotDiffusionTest.fresh(manager, LatentSlotDiffusionTest.learntPatches());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, BATCH, 3, 8, 8);
        DiffusionDraws draws =
                DiffusionDraws.of(
                        new Random(2),
                        model.decoder().learning().noising().schedule(),
                        manager,
                        new Shape(BATCH).addAll(model.decoder().latentShape()),
                        DataType.FLOAT32,
                        0);
        manager.getEngine().setRandomSeed(4);
        double[] ofLoss = new double[1];
        Map<String, NDArray> expected =
                gradients(
                        model,
                        collector -> {
                            NDArray value = model.loss(store, images, draws, slotsLearn, true);
                            collector.backward(value);
                            return value.getFloat();
                        },
                        ofLoss);
        manager.getEngine().setRandomSeed(4);
        double[] ofStep = new double[1];
        Map<String, NDArray> actual =
                gradients(
                        model,
                        collector -> {
                            NDArray value =
                                    model.backward(
                                            store,
                                            images,
                                            draws,
                                            slotsLearn,
                                            part -> {
                                                Garbage.collect();
                                                collector.backward(part);
                                            });
                            assertEquals(images.getManager(), value.getManager());
                            return value.getFloat();
                        },
                        ofStep);
        assertEquals(ofLoss[0], ofStep[0], 1e-5 * ofLoss[0]);
        assertEquals(expected.keySet(), actual.keySet());
        double largest = expected.values().stream().mapToDouble(Tensors::largest).max().orElse(0);
        expected.forEach((name, g) -> assertClose(name, g, actual.get(name), 1e-5, largest));
    }
}
