package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.EngineThreads;
import org.slotwise.testing.OnDevice;

/** Small calls in loops of Java's own give what the engine's operations give. */
@ExtendWith(OnDevice.class)
class SlotAttentionLoopsTest {

    private record Sizes(int b, int n, int f, int k, int d, int c, int hidden) {}

    private static SlotAttention.Builder builder(Sizes s, double eps) {
        SlotAttention.Builder builder =
                SlotAttention.builder()
                        .setDim(s.d)
                        .setFeatureDim(s.f)
                        .optKvqDim(s.c)
                        .optNormEps(1e-3)
                        .optEps(eps);
        return s.hidden == 0 ? builder : builder.optFeedForward(new FeedForward(s.d, s.hidden));
    }

    private static SlotAttention initialised(
            SlotAttention.Builder builder, Sizes s, NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(3);
        SlotAttention block = builder.build();
        block.initialize(manager, type, new Shape(s.b, s.n, s.f), new Shape(s.b, s.k, s.d));
        // Gains, offsets and biases that start at one and nothing would hide a mistake.
        int seed = 10;
        for (Parameter parameter : block.getParameters().values()) {
            NDArray value = parameter.getArray();
            value.addi(normal(manager, seed++, type, value.getShape().getShape()).mul(0.1f));
        }
        return block;
    }

    private static PerceptualGroupingOutput group(SlotAttention block, NDArray x, NDArray start) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        return block.group(store, new FeatureExtractorOutput(x), start, false);
    }

    private static boolean isLooped(SlotAttention block, NDArray x, NDArray start) {
        SlotAttentionSteps steps = block.steps();
        return steps != null && NoGraph.during(() -> steps.loops().fit(x, start, 3));
    }

    private static void assumeCpu(NDManager manager) {
        assumeFalse(manager.getDevice().isGpu(), "loops are for the CPU");
    }

    @ParameterizedTest
    @CsvSource({
        "1, 30, 5, 3, 6, 8, 9, 1e-8",
        "1, 1, 1, 1, 1, 1, 0, 1e-8",
        "2, 1, 3, 2, 5, 7, 3, 1e-8",
        "5, 31, 7, 5, 3, 1, 0, 1e-8",
        "1, 300, 8, 4, 6, 8, 12, 0.5",
        "1, 257, 9, 7, 7, 5, 11, 0",
        "3, 64, 16, 8, 16, 16, 32, 1e-8",
        "1, 128, 4, 11, 8, 8, 0, 1e-8",
        "1, 4, 6, 23, 4, 4, 2, 1e-8",
        "1, 1024, 64, 7, 64, 64, 128, 1e-8"
    })
    void loopsGiveWhatOperationsGive(
            int b, int n, int f, int k, int d, int c, int hidden, double eps, NDManager manager) {
        Sizes sizes = new Sizes(b, n, f, k, d, c, hidden);
        NDArray x = normal(manager, 1, b, n, f).mul(3).add(1);
        NDArray start = normal(manager, 2, b, k, d);
        SlotAttention block = initialised(builder(sizes, eps), sizes, manager, DataType.FLOAT32);
        if (!manager.getDevice().isGpu()) {
            assertTrue(isLooped(block, x, start));
        }
        PerceptualGroupingOutput found = group(block, x, start);
        SlotAttention.Builder other = builder(sizes, eps).attendedBy(AttendedFeatures::of);
        PerceptualGroupingOutput expected =
                group(initialised(other, sizes, manager, DataType.FLOAT32), x, start);
        assertEquals(expected.objects().getShape(), found.objects().getShape());
        assertClose("slots", expected.objects(), found.objects(), 2e-5);
        assertClose("attention", expected.attributions(), found.attributions(), 2e-5);
    }

    /** Not only near the engine: as near as the engine to what float64 gives. */
    @Test
    void loopsAreAsNearToFloat64AsOperations(NDManager manager) {
        assumeCpu(manager);
        Sizes sizes = new Sizes(1, 1024, 64, 7, 64, 64, 128);
        double loops = 0;
        double operations = 0;
        for (int seed = 1; seed <= 8; seed++) {
            NDArray x = normal(manager, seed, 1, 1024, 64).mul(2);
            NDArray start = normal(manager, 100 + seed, 1, 7, 64);
            SlotAttention block =
                    initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
            SlotAttention other =
                    initialised(
                            builder(sizes, 1e-8).attendedBy(AttendedFeatures::of),
                            sizes,
                            manager,
                            DataType.FLOAT32);
            SlotAttention exact = builder(sizes, 1e-8).build();
            exact.initialize(
                    manager, DataType.FLOAT64, new Shape(1, 1024, 64), new Shape(1, 7, 64));
            for (int i = 0; i < exact.getParameters().size(); i++) {
                block.getParameters()
                        .valueAt(i)
                        .getArray()
                        .toType(DataType.FLOAT64, true)
                        .copyTo(exact.getParameters().valueAt(i).getArray());
            }
            NDArray truth =
                    group(
                                    exact,
                                    x.toType(DataType.FLOAT64, true),
                                    start.toType(DataType.FLOAT64, true))
                            .objects();
            loops += largestError(group(block, x, start).objects(), truth);
            operations += largestError(group(other, x, start).objects(), truth);
        }
        assertTrue(loops < 1.5 * operations, loops + " and " + operations);
    }

    private static double largestError(NDArray found, NDArray truth) {
        return found.toType(DataType.FLOAT64, true).sub(truth).abs().max().getDouble();
    }

    @Test
    void aSlotThatReceivesNothing(NDManager manager) {
        Sizes sizes = new Sizes(1, 20, 6, 4, 6, 6, 0);
        SlotAttention.Builder[] builders = {
            builder(sizes, 0), builder(sizes, 0).attendedBy(AttendedFeatures::of)
        };
        List<PerceptualGroupingOutput> outputs = new ArrayList<>();
        NDArray x = normal(manager, 1, 1, 1, 6).broadcast(1, 20, 6); // all features are equal
        NDArray start = normal(manager, 2, 1, 4, 6);
        for (SlotAttention.Builder builder : builders) {
            SlotAttention block = initialised(builder, sizes, manager, DataType.FLOAT32);
            block.getParameters().get("to_k.weight").getArray().muli(1e5f);
            outputs.add(group(block, x, start));
        }
        NDArray received = outputs.get(0).attributions().sum(new int[] {2});
        assertTrue(received.eq(0).any().getBoolean(), "no slot is left out");
        assertFalse(outputs.get(0).objects().isNaN().any().getBoolean());
        assertClose("slots", outputs.get(1).objects(), outputs.get(0).objects(), 2e-5);
    }

    /** The last of them is one more. */
    @Test
    void implicitDifferentiation(NDManager manager) {
        Sizes sizes = new Sizes(2, 30, 5, 3, 6, 8, 9);
        NDArray x = normal(manager, 1, 2, 30, 5);
        NDArray start = normal(manager, 2, 2, 3, 6);
        SlotAttention.Builder builder = builder(sizes, 1e-8).optImplicitDifferentiation(true);
        SlotAttention.Builder other =
                builder(sizes, 1e-8)
                        .optImplicitDifferentiation(true)
                        .attendedBy(AttendedFeatures::of);
        assertClose(
                "slots",
                group(initialised(other, sizes, manager, DataType.FLOAT32), x, start).objects(),
                group(initialised(builder, sizes, manager, DataType.FLOAT32), x, start).objects(),
                2e-5);
    }

    /** Arrays that are written to are kept from call to call, weights are not. */
    @Test
    void weightsThatHaveChangedAreSeen(NDManager manager) {
        Sizes sizes = new Sizes(1, 30, 5, 3, 6, 8, 9);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 1, 30, 5);
        NDArray start = normal(manager, 2, 1, 3, 6);
        NDArray before = group(block, x, start).objects();
        for (Parameter parameter : block.getParameters().values()) {
            if (parameter == block.getParameters().get("norm_slots.bias")) {
                continue; // the same for the queries of all slots, which share out all the same
            }
            NDArray value = parameter.getArray();
            NDArray old = value.duplicate();
            value.addi(normal(manager, 77, value.getShape().getShape()).mul(0.3f));
            NDArray changed = group(block, x, start).objects();
            assertTrue(changed.sub(before).abs().max().getFloat() > 1e-6, parameter.getName());
            old.copyTo(value);
        }
    }

    /** NaN comes and goes: arrays that are written to are kept from call to call. */
    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void nanStaysInItsOwnImage(float bad, NDManager manager) {
        Sizes sizes = new Sizes(3, 21, 5, 3, 7, 5, 9);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 3, 21, 5);
        NDArray start = normal(manager, 2, 3, 3, 7);
        NDArray before = group(block, x, start).objects();
        NDArray broken = x.duplicate();
        broken.set(new NDIndex("1, 20, 4"), bad);
        NDArray seen = group(block, broken, start).objects();
        assertTrue(seen.get(1).isNaN().all().getBoolean());
        assertSame("others", before.get("0::2"), seen.get("0::2"));
        assertSame("again", before, group(block, x, start).objects());
    }

    @Test
    void viewsAreReadAsTheyAreSeen(NDManager manager) {
        Sizes sizes = new Sizes(2, 12, 5, 3, 4, 6, 8);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 2, 5, 12).transpose(0, 2, 1);
        NDArray start = normal(manager, 2, 2, 4, 3).transpose(0, 2, 1);
        NDArray copied = group(block, x.add(0), start.add(0)).objects();
        assertClose("slots", copied, group(block, x, start).objects(), 0);
        NDArray later = normal(manager, 3, 4, 12, 5);
        NDArray part = later.get("2:");
        assertClose(
                "part",
                group(block, part.add(0), start.add(0)).objects(),
                group(block, part, start).objects(),
                0);
    }

    @Test
    void largeCallsOtherTypesAndRecordingAreLeftToTheEngine(NDManager manager) {
        assumeCpu(manager);
        Sizes sizes = new Sizes(1, 1024, 64, 7, 64, 64, 128);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        NDArray start = normal(manager, 2, 1, 7, 64);
        NDArray x = normal(manager, 1, 1, 1024, 64);
        assertTrue(isLooped(block, x, start));
        assertFalse(isLooped(block, normal(manager, 1, 1, 4096, 64), start));
        assertFalse(isLooped(block, x.repeat(0, 8), start.repeat(0, 8)));
        assertFalse(isLooped(block, normal(manager, 1, 1, 9000, 64), start.get(":, :1")));
        assertFalse(isLooped(block, x.toType(DataType.FLOAT64, true), start));
        assertFalse(isLooped(block, x.toType(DataType.FLOAT16, true), start));
        SlotAttentionSteps steps = block.steps();
        if (steps != null && NoGraph.isRecording()) {
            assertFalse(steps.loops().fit(x, start, 3));
        }
    }

    /** Images of a call are shared among threads: to the same bits as by one. */
    @Test
    void imagesAmongThreads(NDManager manager) {
        assumeCpu(manager);
        Sizes sizes = new Sizes(2, 40, 6, 4, 5, 7, 9);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 9, 300, 6);
        NDArray start = normal(manager, 2, 9, 4, 5);
        assertTrue(isLooped(block, x, start));
        PerceptualGroupingOutput expected = EngineThreads.with(1, () -> group(block, x, start));
        for (int i = 0; i < 20; i++) {
            PerceptualGroupingOutput found = EngineThreads.with(4, () -> group(block, x, start));
            assertSame("slots", expected.objects(), found.objects());
            assertSame("attention", expected.attributions(), found.attributions());
        }
    }

    /** Sizes change from call to call, and threads call one block at once. */
    @Test
    void oneBlockInSeveralThreads(NDManager manager) throws Exception {
        Sizes sizes = new Sizes(2, 40, 6, 4, 5, 7, 9);
        SlotAttention block = initialised(builder(sizes, 1e-8), sizes, manager, DataType.FLOAT32);
        List<NDArray[]> inputs = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            NDArray x = normal(manager, i, 1 + i % 3, 20 + i, 6);
            NDArray start = normal(manager, 50 + i, 1 + i % 3, 2 + i % 4, 5);
            inputs.add(new NDArray[] {x, start});
            expected.add(group(block, x, start).objects().toFloatArray());
        }
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<Integer>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int thread = t;
                all.add(pool.submit(() -> different(block, inputs, expected, thread)));
            }
            for (Future<Integer> one : all) {
                assertEquals(0, one.get());
            }
        } finally {
            pool.shutdown();
        }
    }

    private static int different(
            SlotAttention block, List<NDArray[]> inputs, List<float[]> expected, int thread) {
        int different = 0;
        for (int i = 0; i < 200; i++) {
            int which = (i * 3 + thread) % inputs.size();
            try (NDManager own = NDManager.newBaseManager()) {
                NDArray x = inputs.get(which)[0].duplicate();
                NDArray start = inputs.get(which)[1].duplicate();
                x.attach(own);
                start.attach(own);
                float[] found = group(block, x, start).objects().toFloatArray();
                different += Arrays.equals(expected.get(which), found) ? 0 : 1;
            }
        }
        return different;
    }
}
