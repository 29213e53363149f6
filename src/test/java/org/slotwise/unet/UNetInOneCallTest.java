package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.Ops;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.StateDict;

/** A network that computes in one call has the weights of the moment, whoever calls it when. */
@ExtendWith(OnDevice.class)
class UNetInOneCallTest {

    private UNet unet;
    private NDList inputs;

    private static UNet unet(NDManager manager, int seed) {
        manager.getEngine().setRandomSeed(seed);
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 6)
                                .setTransformer(TransformerOptions.of(4, Heads.count(2)))
                                .optGroups(2)
                                .build());
        unet.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 4, 4));
        unet.getParameters()
                .values()
                .forEach(
                        p ->
                                Ops.overwrite(
                                        p.getArray(),
                                        manager.randomUniform(-1, 1, p.getArray().getShape())));
        return unet;
    }

    @BeforeEach
    void make(NDManager manager) {
        unet = unet(manager, 1);
        inputs =
                new NDList(
                        manager.randomNormal(new Shape(3, 2, 4, 4)),
                        manager.create(new long[] {5, 100, 900}),
                        manager.randomNormal(new Shape(3, 2, 4)));
    }

    /** A new store each time, as predictors have it. */
    private float[] predict(UNet network) {
        ParameterStore store = new ParameterStore(inputs.head().getManager(), false);
        return network.forward(store, inputs, false).head().toFloatArray();
    }

    /** With copies of its parameters it computes layer by layer. */
    private float[] byLayers(UNet network) {
        ParameterStore store = new ParameterStore(inputs.head().getManager(), true);
        return network.forward(store, inputs, false).head().toFloatArray();
    }

    private void assertAsByLayers() {
        float[] expected = byLayers(unet);
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(expected, predict(unet), (float) (1e-5 * largest));
    }

    @Test
    void otherWeightsAreTaken(NDManager manager) {
        float[] before = predict(unet);
        UNet other = unet(manager, 2);
        try (StateDict weights = StateDict.of(other)) {
            weights.loadInto(unet);
        }
        Garbage.collect();
        assertFalse(Arrays.equals(before, predict(unet)));
        assertArrayEquals(predict(other), predict(unet));
        assertAsByLayers();
    }

    @Test
    void predictionsAndStepsTakeTurns() {
        for (int turn = 0; turn < 3; turn++) {
            assertAsByLayers();
            unet.getParameters().values().forEach(p -> p.getArray().setRequiresGradient(true));
            ParameterStore store = new ParameterStore(inputs.head().getManager(), false);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray y = unet.forward(store, inputs, true).head();
                Garbage.collect();
                collector.backward(y.square().mean());
            }
            float[] before = predict(unet);
            for (var parameter : unet.getParameters().values()) {
                NDArray weight = parameter.getArray();
                Ops.overwrite(weight, weight.sub(weight.getGradient().mul(0.1f)));
                weight.getGradient().muli(0);
            }
            assertFalse(Arrays.equals(before, predict(unet)));
        }
    }

    @Test
    void threadsMayPredictAtOnce() throws Exception {
        float[] expected = predict(unet);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<float[]>> all =
                    IntStream.range(0, 40)
                            .mapToObj(i -> threads.submit(() -> predict(unet)))
                            .toList();
            for (Future<float[]> one : all) {
                assertArrayEquals(expected, one.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
