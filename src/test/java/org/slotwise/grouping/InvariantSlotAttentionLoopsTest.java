package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.EngineThreads;
import org.slotwise.testing.OnDevice;

/** Small calls in loops of Java's own give what operations give, one by one as they are traced. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionLoopsTest {

    private record Sizes(int f, int d, int r, int l, int hidden, double eps) {}

    private static final Sizes SMALL = new Sizes(6, 5, 7, 2, 9, 1e-8);

    private static InvariantSlotAttention block(Sizes s, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        InvariantSlotAttention.Builder builder =
                InvariantSlotAttention.builder()
                        .setDim(s.d)
                        .setFeatureDim(s.f)
                        .optRelativeDim(s.r)
                        .optFrequencies(s.l)
                        .optEps(s.eps);
        if (s.hidden > 0) {
            builder.optFeedForward(new FeedForward(s.d, s.hidden, 1e-2));
        }
        InvariantSlotAttention block = builder.build();
        block.initialize(
                manager,
                DataType.FLOAT32,
                new Shape(1, 4, s.f),
                new Shape(4, 2),
                new Shape(1, 2, s.d));
        int seed = 10;
        for (Parameter parameter : block.getParameters().values()) {
            NDArray value = parameter.getArray();
            value.addi(normal(manager, seed++, value.getShape().getShape()).mul(0.2f));
        }
        return block;
    }

    private static ParameterStore store(NDManager manager) {
        return new ParameterStore(manager, false);
    }

    private static FeatureExtractorOutput features(NDManager manager, int b, int n, int f) {
        return new FeatureExtractorOutput(
                normal(manager, 1, b, n, f).mul(2), uniform(manager, 5, DataType.FLOAT32, n, 2));
    }

    private static void assertLooped(
            InvariantSlotAttention block, NDArray x, NDArray start, int times) {
        if (!x.getDevice().isGpu()) {
            assertTrue(
                    NoGraph.during(() -> block.isSmall(x, x.getShape(), start.getShape(), times)));
        }
    }

    private static void assertEqual(PositionedSlots expected, PositionedSlots found) {
        assertEquals(expected.objects().getShape(), found.objects().getShape());
        assertClose("slots", expected.objects(), found.objects(), 3e-5);
        assertClose("positions", expected.positions(), found.positions(), 3e-5);
        assertClose("attention", expected.attributions(), found.attributions(), 3e-5);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 20, 6, 5, 7, 2, 9, 3, 4, 1e-8",
        "2, 1, 1, 1, 1, 1, 0, 1, 1, 1e-8",
        "3, 33, 8, 6, 5, 3, 4, 5, 2, 0",
        "2, 12, 5, 3, 4, 0, 6, 7, 3, 0.5",
        "1, 144, 128, 64, 64, 3, 128, 4, 10, 1e-8"
    })
    void loopsGiveWhatOperationsGive(
            int b,
            int n,
            int f,
            int d,
            int r,
            int l,
            int hidden,
            int k,
            int times,
            double eps,
            NDManager manager) {
        Sizes sizes = new Sizes(f, d, r, l, hidden, eps);
        InvariantSlotAttention block = block(sizes, manager);
        FeatureExtractorOutput x = features(manager, b, n, f);
        NDArray start = normal(manager, 2, b, k, d);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, b, k, 2);
        assertLooped(block, x.features(), start, times);
        assertEqual(
                block.trace(store(manager), x, start, at, times).result(),
                block.group(store(manager), x, start, at, times, false));
    }

    @ParameterizedTest
    @CsvSource({"false, 2", "true, 2", "true, 5"})
    void guesses(boolean empty, int times, NDManager manager) {
        InvariantSlotAttention block = block(SMALL, manager);
        FeatureExtractorOutput x = features(manager, 3, 15, 6);
        NDArray start = normal(manager, 2, 3, 4, 5);
        NDArray guess = uniform(manager, 3, DataType.FLOAT32, 3, 4, 15);
        NDArray isEmpty = null;
        if (empty) { // some of the first image, none of the second, all of the third
            boolean[] none = {
                false, true, false, true, false, false, false, false, true, true, true, true
            };
            isEmpty = manager.create(none, new Shape(3, 4));
        }
        PerceptualGroupingOutput given = new PerceptualGroupingOutput(start, guess, isEmpty);
        assertLooped(block, x.features(), start, times);
        PositionedSlots found = block.refine(store(manager), x, start, given, times, false);
        assertEqual(block.traceRefinement(store(manager), x, start, given, times).result(), found);
        if (isEmpty != null) {
            NDArray kept = found.attributions().sum(new int[] {2}).gt(0);
            assertArrayEquals(isEmpty.logicalNot().toBooleanArray(), kept.toBooleanArray());
        }
    }

    /** Weights whose sum has no inverse in float32 are weights all the same. */
    @Test
    void aSlotThatReceivesNextToNothing(NDManager manager) {
        InvariantSlotAttention block = block(new Sizes(6, 5, 7, 2, 9, 0), manager);
        FeatureExtractorOutput x = features(manager, 1, 15, 6);
        NDArray start = normal(manager, 2, 1, 3, 5);
        NDArray guess =
                uniform(manager, 3, DataType.FLOAT32, 1, 3, 15)
                        .mul(manager.create(1e-20f))
                        .mul(manager.create(1e-20f));
        PerceptualGroupingOutput given = new PerceptualGroupingOutput(start, guess, null);
        PositionedSlots found = block.refine(store(manager), x, start, given, 2, false);
        assertFalse(found.objects().isNaN().any().getBoolean());
        PositionedSlots expected =
                block.traceRefinement(store(manager), x, start, given, 2).result();
        assertClose("positions", expected.positions(), found.positions(), 1e-3);
        assertClose("slots", expected.objects(), found.objects(), 1e-3);
    }

    /**
     * With an eps of 0 a slot without any weight is at the image's corner, and moves by nothing.
     */
    @Test
    void aSlotThatReceivesNothing(NDManager manager) {
        InvariantSlotAttention block = block(new Sizes(6, 5, 7, 2, 9, 0), manager);
        block.getParameters().get("to_scale.bias").getArray().addi(12f); // very narrow
        FeatureExtractorOutput x = features(manager, 1, 15, 6);
        NDArray start = normal(manager, 2, 1, 3, 5);
        NDArray at = manager.create(new float[] {0.5f, 0.5f, 40, 40, 0.2f, 0.7f});
        at = at.reshape(1, 3, 2);
        PositionedSlots found = block.group(store(manager), x, start, at, 1, false);
        assertEquals(0, found.attributions().get("0, 1").sum().getFloat());
        assertArrayEquals(new float[2], found.positions().get("0, 1").toFloatArray(), 0);
        assertEqual(block.trace(store(manager), x, start, at, 1).result(), found);
    }

    /** Places are kept from call to call, where they are the same. */
    @Test
    void otherPlacesAndOtherWeightsAreSeen(NDManager manager) {
        InvariantSlotAttention block = block(SMALL, manager);
        FeatureExtractorOutput x = features(manager, 1, 15, 6);
        NDArray start = normal(manager, 2, 1, 3, 5);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, 1, 3, 2);
        PositionedSlots before = block.group(store(manager), x, start, at, 3, false);
        FeatureExtractorOutput other =
                new FeatureExtractorOutput(
                        x.features(), uniform(manager, 6, DataType.FLOAT32, 15, 2));
        assertEqual(
                block.trace(store(manager), other, start, at, 3).result(),
                block.group(store(manager), other, start, at, 3, false));
        assertSame(
                "again",
                before.objects(),
                block.group(store(manager), x, start, at, 3, false).objects());
        for (Parameter parameter : block.getParameters().values()) {
            NDArray value = parameter.getArray();
            NDArray old = value.duplicate();
            value.addi(normal(manager, 77, value.getShape().getShape()).mul(0.3f));
            NDArray changed = block.group(store(manager), x, start, at, 3, false).objects();
            assertTrue(
                    changed.sub(before.objects()).abs().max().getFloat() > 1e-6,
                    parameter.getName());
            old.copyTo(value);
        }
    }

    @Test
    void nanStaysInItsOwnImage(NDManager manager) {
        InvariantSlotAttention block = block(SMALL, manager);
        FeatureExtractorOutput x = features(manager, 3, 15, 6);
        NDArray start = normal(manager, 2, 3, 3, 5);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, 3, 3, 2);
        NDArray before = block.group(store(manager), x, start, at, 3, false).objects();
        NDArray broken = x.features().duplicate();
        broken.set(new NDIndex("1, 14, 5"), Float.NaN);
        NDArray seen =
                block.group(
                                store(manager),
                                new FeatureExtractorOutput(broken, x.positions()),
                                start,
                                at,
                                3,
                                false)
                        .objects();
        assertTrue(seen.get(1).isNaN().all().getBoolean());
        assertSame("others", before.get("0::2"), seen.get("0::2"));
        assertSame("again", before, block.group(store(manager), x, start, at, 3, false).objects());
    }

    /** Nothing is wrong silently: not even at the first call. */
    @Test
    void placesThatAreNone(NDManager manager) {
        InvariantSlotAttention block = block(SMALL, manager);
        NDArray nowhere = manager.zeros(new Shape(15, 2)).add(Float.NaN);
        FeatureExtractorOutput x =
                new FeatureExtractorOutput(normal(manager, 1, 1, 15, 6), nowhere);
        NDArray start = normal(manager, 2, 1, 3, 5);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, 1, 3, 2);
        PositionedSlots found = block.group(store(manager), x, start, at, 2, false);
        assertTrue(found.objects().isNaN().all().getBoolean());
    }

    /** A long life of what slots start from is not the result's. */
    @Test
    void resultsBelongToTheFeaturesManager(NDManager manager) {
        InvariantSlotAttention block = block(SMALL, manager);
        NDArray start = normal(manager, 2, 1, 3, 5);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, 1, 3, 2);
        try (NDManager own = manager.newSubManager()) {
            FeatureExtractorOutput x = features(own, 1, 15, 6);
            PositionedSlots found = block.group(store(manager), x, start, at, 3, false);
            assertEquals(own, found.objects().getManager());
            assertEquals(own, found.positions().getManager());
            assertEquals(own, found.attributions().getManager());
        }
    }

    @Test
    void largeCallsAndOtherTypesAreLeftToTheEngine(NDManager manager) {
        assumeFalse(manager.getDevice().isGpu(), "loops are for the CPU");
        InvariantSlotAttention block = block(SMALL, manager);
        NDArray like = manager.zeros(new Shape(1));
        Shape start = new Shape(2, 3, 5);
        assertTrue(NoGraph.during(() -> block.isSmall(like, new Shape(2, 50, 6), start, 3)));
        assertFalse(NoGraph.during(() -> block.isSmall(like, new Shape(2, 90_000, 6), start, 9)));
        Shape one = new Shape(1, 1, 5); // few products, but much to keep
        assertFalse(NoGraph.during(() -> block.isSmall(like, new Shape(1, 90_000, 6), one, 1)));
        NDArray wide = like.toType(DataType.FLOAT64, true);
        assertFalse(NoGraph.during(() -> block.isSmall(wide, new Shape(2, 50, 6), start, 3)));
    }

    /** Images of a call are shared among threads: to the same bits as by one. */
    @Test
    void imagesAmongThreads(NDManager manager) {
        assumeFalse(manager.getDevice().isGpu(), "loops are for the CPU");
        InvariantSlotAttention block = block(SMALL, manager);
        FeatureExtractorOutput x = features(manager, 7, 150, 6);
        NDArray start = normal(manager, 2, 7, 4, 5);
        NDArray at = uniform(manager, 3, DataType.FLOAT32, 7, 4, 2);
        assertLooped(block, x.features(), start, 3);
        Supplier<PositionedSlots> grouped =
                () -> block.group(store(manager), x, start, at, 3, false);
        PositionedSlots expected = EngineThreads.with(1, grouped);
        for (int i = 0; i < 20; i++) {
            PositionedSlots found = EngineThreads.with(4, grouped);
            assertSame("slots", expected.objects(), found.objects());
            assertSame("positions", expected.positions(), found.positions());
            assertSame("attention", expected.attributions(), found.attributions());
        }
    }

    @Test
    void oneBlockInSeveralThreads(NDManager manager) throws Exception {
        InvariantSlotAttention block = block(SMALL, manager);
        List<float[]> expected = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            expected.add(slots(block, i));
        }
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int thread = t;
                all.add(
                        pool.submit(
                                () -> {
                                    for (int i = 0; i < 120; i++) {
                                        int which = (i * 5 + thread) % 6;
                                        assertArrayEquals(expected.get(which), slots(block, which));
                                    }
                                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            pool.shutdown();
        }
    }

    private static float[] slots(InvariantSlotAttention block, int i) {
        try (NDManager own = NDManager.newBaseManager()) {
            int b = 1 + i % 2;
            int k = 2 + i % 3;
            return block.group(
                            store(own),
                            features(own, b, 10 + i, 6),
                            normal(own, i, b, k, 5),
                            uniform(own, i, DataType.FLOAT32, b, k, 2),
                            3,
                            false)
                    .objects()
                    .toFloatArray();
        }
    }
}
