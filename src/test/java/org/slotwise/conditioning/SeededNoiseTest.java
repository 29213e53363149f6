package org.slotwise.conditioning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Where the noise of conditionings comes from. */
@ExtendWith(OnDevice.class)
class SeededNoiseTest {

    /** mu = 0 and sigma = 1, so that the result is the noise. */
    private static RandomConditioning plain(NDManager manager, DataType type, Long seed) {
        RandomConditioning.Builder builder = RandomConditioning.builder().setDim(3).setSlots(2);
        if (seed != null) {
            builder.optSeed(seed);
        }
        RandomConditioning block = builder.build();
        block.setInitializer((m, shape, t) -> m.zeros(shape, t), p -> true);
        block.initialize(manager, type, new Shape(-1));
        return block;
    }

    private static NDArray draw(NDManager manager, Conditioning block, long batch) {
        return block.sample(new ParameterStore(manager, false), manager, batch, 2, false);
    }

    @Test
    void aSeedRepeats(NDManager manager) {
        NDArray first = draw(manager, plain(manager, DataType.FLOAT32, 5L), 4);
        manager.getEngine().setRandomSeed(99);
        NDArray again = draw(manager, plain(manager, DataType.FLOAT32, 5L), 4);
        assertSame("same seed", first, again);
        NDArray other = draw(manager, plain(manager, DataType.FLOAT32, 6L), 4);
        assertTrue(Tensors.largest(first.sub(other)) > 0.1);
    }

    @Test
    void successiveCallsContinueTheStream(NDManager manager) {
        RandomConditioning block = plain(manager, DataType.FLOAT64, 5L);
        NDArray parts = draw(manager, block, 1).concat(draw(manager, block, 3), 0);
        assertSame("stream", draw(manager, plain(manager, DataType.FLOAT64, 5L), 4), parts);
    }

    /** The generator is specified: these are the numbers on every device and every Java. */
    @Test
    void theStreamIsThatOfJavasRandom(NDManager manager) {
        Random random = new Random(5);
        double[] expected = new double[6];
        Arrays.setAll(expected, i -> random.nextGaussian());
        double[] got = draw(manager, plain(manager, DataType.FLOAT64, 5L), 1).toDoubleArray();
        assertEquals(Arrays.toString(expected), Arrays.toString(got));
    }

    @Test
    void allTypesGetTheSameNumbers(NDManager manager) {
        NDArray exact = draw(manager, plain(manager, DataType.FLOAT64, 5L), 4);
        NDArray single = draw(manager, plain(manager, DataType.FLOAT32, 5L), 4);
        NDArray half = draw(manager, plain(manager, DataType.FLOAT16, 5L), 4);
        assertClose("float32", exact, single.toType(DataType.FLOAT64, true), 1e-7);
        assertClose("float16", exact, half.toType(DataType.FLOAT64, true), 1e-3);
    }

    @Test
    void withoutASeedTheEnginesGeneratorDraws(NDManager manager) {
        manager.getEngine().setRandomSeed(11);
        NDArray first = draw(manager, plain(manager, DataType.FLOAT32, null), 300);
        NDArray next = draw(manager, plain(manager, DataType.FLOAT32, null), 300);
        manager.getEngine().setRandomSeed(11);
        assertSame(
                "engine's seed", first, draw(manager, plain(manager, DataType.FLOAT32, null), 300));
        assertTrue(Tensors.largest(first.sub(next)) > 0.1);
        ConditioningTest.assertStandardNormal(first);
    }

    @Test
    void seededNoiseIsStandardNormal(NDManager manager) {
        ConditioningTest.assertStandardNormal(
                draw(manager, plain(manager, DataType.FLOAT32, 1L), 300));
    }

    @Test
    void theSlotwiseConditioningHasItsOwnStreamToo(NDManager manager) {
        List<NDArray> draws = new ArrayList<>();
        for (long seed : new long[] {3, 3, 4}) {
            manager.getEngine().setRandomSeed(1);
            SlotwiseLearntConditioning block =
                    SlotwiseLearntConditioning.builder()
                            .setDim(3)
                            .setSlots(2)
                            .optSeed(seed)
                            .build();
            block.initialize(manager, DataType.FLOAT32, new Shape(-1));
            draws.add(draw(manager, block, 4));
        }
        assertSame("same seed", draws.get(0), draws.get(1));
        assertTrue(Tensors.largest(draws.get(0).sub(draws.get(2))) > 0.1);
    }

    /** Threads draw connected parts of the stream: none is lost, none comes twice. */
    @Test
    void threadsShareTheStream(NDManager manager) throws Exception {
        RandomConditioning block = plain(manager, DataType.FLOAT64, 5L);
        int calls = 64;
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<CompletableFuture<double[]>> parts = new ArrayList<>();
        try {
            for (int i = 0; i < calls; i++) {
                parts.add(
                        CompletableFuture.supplyAsync(
                                () -> {
                                    try (NDManager own = manager.newSubManager()) {
                                        return draw(own, block, 2).toDoubleArray();
                                    }
                                },
                                threads));
            }
            List<String> got = new ArrayList<>();
            for (CompletableFuture<double[]> part : parts) {
                got.add(Arrays.toString(part.get()));
            }
            RandomConditioning alone = plain(manager, DataType.FLOAT64, 5L);
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < calls; i++) {
                expected.add(Arrays.toString(draw(manager, alone, 2).toDoubleArray()));
            }
            got.sort(null);
            expected.sort(null);
            assertEquals(expected, got);
        } finally {
            threads.shutdown();
        }
    }

    /** The noise comes from a Java array, which must not be what the graph refers to. */
    @Test
    void gradientsSurviveGarbageCollection(NDManager manager) {
        NDArray quiet = gradient(manager, () -> {});
        NDArray stressed = gradient(manager, Garbage::collect);
        assertTrue(Tensors.largest(quiet) > 0.1);
        assertSame("gradient", quiet, stressed);
    }

    private static NDArray gradient(NDManager manager, Runnable beforeBackward) {
        // The type of the Java array: other types are converted, and so copied, in any case.
        RandomConditioning block = plain(manager, DataType.FLOAT64, 5L);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray sample = block.sample(new ParameterStore(manager, false), manager, 50, 2, true);
            NDArray loss = sample.square().sum();
            beforeBackward.run();
            collector.backward(loss);
        }
        return block.getDirectParameters().get("slots_logsigma").getArray().getGradient();
    }

    /** In a thread in which the engine records by itself. */
    @Test
    void noGraphInInference(NDManager manager) {
        RandomConditioning block = plain(manager, DataType.FLOAT32, 5L);
        CompletableFuture.runAsync(
                        () -> {
                            NDArray sample = draw(manager, block, 2);
                            try (GradientCollector collector =
                                    Engine.getEngine("PyTorch").newGradientCollector()) {
                                assertThrows(
                                        EngineException.class,
                                        () -> collector.backward(sample.sum()));
                            }
                        },
                        command -> {
                            Thread thread = new Thread(command);
                            thread.start();
                            try {
                                thread.join();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        })
                .join();
    }
}
