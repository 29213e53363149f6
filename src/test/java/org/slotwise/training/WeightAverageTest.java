package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Ops;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class WeightAverageTest {

    private static final Map<String, String> RUN = Map.of("seed", "1");

    @TempDir Path folder;

    private static Block linear(NDManager manager) {
        Block block = Linear.builder().setUnits(3).optBias(false).build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        return block;
    }

    private static NDArray weight(Block block) {
        return StateDict.parameters(block).values().iterator().next().getArray();
    }

    private static NDArray average(WeightAverage average) {
        return average.state().values().iterator().next();
    }

    private static AveragingDecay decay(String name) {
        return switch (name) {
            case "diffusers" -> AveragingDecay.rising(0.9999);
            case "diffusers_warmup" -> AveragingDecay.warmUp(0.9999, 0.75);
            default -> AveragingDecay.risingAtOnce(0.9999);
        };
    }

    @ParameterizedTest
    @CsvSource({"diffusers", "diffusers_warmup", "slotdiffusion"})
    void doesAsOthers(String name, NDManager manager) {
        Map<String, NDArray> arrays =
                ReferenceCase.of("diffusion", "EMA").findFirst().orElseThrow().arrays(manager);
        NDArray weights = arrays.get("in/weights");
        NDArray expected = arrays.get("out/" + name);
        Block block = linear(manager);
        Ops.overwrite(weight(block), weights.get(0));
        try (WeightAverage average = new WeightAverage(block, decay(name))) {
            for (int i = 0; i < expected.getShape().get(0); i++) {
                Ops.overwrite(weight(block), weights.get(i + 1));
                average.update();
                assertClose("update " + i, expected.get(i), average(average), 1e-6);
            }
            assertEquals(15, average.updates());
            assertSame("the weights", weights.get(15), weight(block));
        }
    }

    @Test
    void theBoundsOfDecays(NDManager manager) {
        Block block = linear(manager);
        NDArray start = weight(block).duplicate();
        try (WeightAverage follows = new WeightAverage(block, AveragingDecay.constant(0));
                WeightAverage stays = new WeightAverage(block, AveragingDecay.constant(1))) {
            Ops.overwrite(weight(block), normal(manager, 5, 3, 2));
            follows.update();
            stays.update();
            assertSame("decay 0", weight(block), average(follows));
            assertSame("decay 1", start, average(stays));
        }
        assertEquals(0.5, AveragingDecay.rising(0.5).at(1_000));
        assertEquals(0.9999, AveragingDecay.warmUp(0.9999, 0.75).at(1_000_000_000L));
        assertEquals(0.9999, AveragingDecay.risingAtOnce(0.9999).at(Integer.MAX_VALUE));
    }

    /** The block has the averages for a while, and its own weights again. */
    @Test
    void changesPlaces(NDManager manager) throws Exception {
        Block block = linear(manager);
        NDArray first = weight(block).duplicate();
        NDArray second = normal(manager, 5, 3, 2);
        int before = manager.getManagedArrays().size();
        try (WeightAverage average = new WeightAverage(block, AveragingDecay.constant(1))) {
            Ops.overwrite(weight(block), second);
            try (WeightAverage.InPlace there = average.inPlace()) {
                assertSame("averages", first, weight(block));
                assertThrows(IllegalStateException.class, average::update);
                assertThrows(IllegalStateException.class, average::state);
                assertThrows(IllegalStateException.class, average::inPlace);
                end(there);
                assertSame("closed twice", second, weight(block));
            }
            assertSame("weights", second, weight(block));
            assertSame("averages", first, average(average));
            WeightAverage.InPlace open = average.inPlace();
            end(average);
            assertSame("closed with averages in the block", second, weight(block));
            open.close();
            assertSame("nothing more to be done", second, weight(block));
        }
        assertEquals(before, manager.getManagedArrays().size());
    }

    /** Before the try that it was opened in ends. */
    private static void end(AutoCloseable one) throws Exception {
        one.close();
    }

    /** A run that is taken up again has the same averages as one that never ended. */
    @Test
    void livesInCheckpoints(NDManager manager) throws IOException {
        Path file = folder.resolve("c.safetensors");
        Block block = new FeedForward(2, 3);
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        Block other = new FeedForward(2, 3);
        other.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        AveragingDecay decay = AveragingDecay.rising(0.9);
        try (Adam adam = Adam.builder().build();
                Adam fresh = Adam.builder().build();
                WeightAverage average = new WeightAverage(block, decay);
                WeightAverage again = new WeightAverage(other, decay)) {
            step(block, average, 1);
            step(block, average, 2);
            Checkpoint.write(file, block, adam, average, 2, RUN, Map.of("a", "b"));
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                assertEquals(Map.of("a", "b"), checkpoint.state());
                checkpoint.restore(other, fresh, again);
                assertEquals(2, again.updates());
            }
            step(block, average, 3);
            step(other, again, 3);
            for (String name : average.state().keySet()) {
                assertArrayEquals(
                        average.state().get(name).toFloatArray(),
                        again.state().get(name).toFloatArray());
            }
            // A reader that wants none passes over it.
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                checkpoint.restore(other, fresh);
            }
        }
    }

    /** All of it or nothing. */
    @Test
    void refusesOtherCheckpoints(NDManager manager) throws IOException {
        Path without = folder.resolve("without.safetensors");
        Path larger = folder.resolve("larger.safetensors");
        Block block = linear(manager);
        Block wide = Linear.builder().setUnits(4).optBias(false).build();
        wide.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        try (Adam adam = Adam.builder().build();
                WeightAverage average = new WeightAverage(block, AveragingDecay.constant(0.5));
                WeightAverage ofWide = new WeightAverage(wide, AveragingDecay.constant(0.5))) {
            Checkpoint.write(without, block, adam, 1, RUN);
            Checkpoint.write(larger, wide, adam, ofWide, 1, RUN, Map.of());
            NDArray weights = weight(block).duplicate();
            step(block, average, 1);
            NDArray averages = average(average).duplicate();
            NDArray trained = weight(block).duplicate();
            for (Path file : new Path[] {without, larger}) {
                try (Checkpoint checkpoint = Checkpoint.read(file)) {
                    String message =
                            assertThrows(
                                            IOException.class,
                                            () -> checkpoint.restore(block, adam, average))
                                    .getMessage();
                    assertTrue(message.startsWith("Checkpoint: " + file), message);
                }
                assertSame("averages", averages, average(average));
                assertSame("weights", trained, weight(block));
                assertEquals(1, average.updates());
            }
            assertEquals(weights.getShape(), trained.getShape());
        }
    }

    private static void step(Block block, WeightAverage average, long seed) {
        StateDict.parameters(block)
                .values()
                .forEach(
                        p -> {
                            NDArray w = p.getArray();
                            NDArray drawn = normal(w.getManager(), seed, w.getShape().getShape());
                            Ops.overwrite(w, drawn);
                            drawn.close();
                        });
        average.update();
    }

    @Test
    void errors(NDManager manager) {
        Block block = linear(manager);
        assertRefused(
                "AveragingDecay: decay must be from 0 to 1, got 1.1",
                () -> AveragingDecay.constant(1.1));
        assertRefused(
                "AveragingDecay: most must be from 0 to 1, got NaN",
                () -> AveragingDecay.rising(Double.NaN));
        assertRefused(
                "AveragingDecay: power must be above 0 and finite, got 0.0",
                () -> AveragingDecay.warmUp(0.9, 0));
        assertThrows(
                IllegalStateException.class,
                () ->
                        new WeightAverage(
                                Linear.builder().setUnits(3).build(),
                                AveragingDecay.constant(0.5)));
        try (WeightAverage average = new WeightAverage(block, update -> 2)) {
            assertRefused("WeightAverage: the decay must be from 0 to 1, got 2.0", average::update);
            assertEquals(0, average.updates());
            assertRefused(
                    "WeightAverage: the state must have [weight], got []",
                    () -> average.restore(Map.of(), 1));
            Map<String, NDArray> other = new HashMap<>();
            other.put("weight", manager.zeros(new Shape(2, 2)));
            assertRefused(
                    "WeightAverage: weight must be (3, 2), got (2, 2)",
                    () -> average.restore(other, 1));
            other.put("weight", manager.zeros(new Shape(3, 2)));
            assertRefused(
                    "WeightAverage: updates must be at least 0, got -1",
                    () -> average.restore(other, -1));
        }
    }
}
