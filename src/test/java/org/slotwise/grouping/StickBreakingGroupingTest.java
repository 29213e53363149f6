package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What {@link StickBreakingGrouping} must do whatever its weights: invariants, odd inputs. */
@ExtendWith(OnDevice.class)
class StickBreakingGroupingTest {

    private static final int B = 3;
    private static final int N = 20;
    private static final int F = 8;
    private static final int K = 5;

    private static StickBreakingGrouping.Builder small() {
        return StickBreakingGrouping.builder()
                .setObjectDim(6)
                .setFeatureDim(F)
                .setSlots(K)
                .optKernelVar(0.5);
    }

    private static StickBreakingGrouping initialised(
            StickBreakingGrouping.Builder builder, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        StickBreakingGrouping block = builder.build();
        block.initialize(manager, DataType.FLOAT32, new Shape(B, N, F));
        return block;
    }

    private static NDArray features(NDManager manager) {
        return Tensors.normal(manager, 1, B, N, F);
    }

    private static NDArray draw(NDManager manager) {
        return Tensors.uniform(manager, 2, DataType.FLOAT32, B, N);
    }

    private static PerceptualGroupingOutput run(StickBreakingGrouping block, NDArray x, NDArray u) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        return block.group(store, new FeatureExtractorOutput(x), u, false);
    }

    private static double[] sumOverSlots(NDArray masks) {
        return Tensors.doubles(masks.sum(new int[] {1}));
    }

    @Test
    void shapesAndNames(NDManager manager) {
        StickBreakingGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        NDList out = block.forward(new ParameterStore(manager, false), new NDList(x), false);
        Shape[] expected = {new Shape(B, K, 6), new Shape(B, K, N), new Shape(B, K)};
        assertArrayEquals(expected, out.getShapes());
        assertArrayEquals(expected, block.getOutputShapes(new Shape[] {x.getShape()}));
        assertEquals(
                List.of("objects", "feature_attributions", "is_empty"),
                out.stream().map(NDArray::getName).toList());
        assertEquals(DataType.BOOLEAN, out.get(2).getDataType());
        assertEquals(F, block.featureDim());
        assertEquals(6, block.objectDim());
        assertEquals(K, block.slots());
    }

    @Test
    void masksAndWhatIsLeftOfTheScopeAddUpToOne(NDManager manager) {
        NDArray x = features(manager);
        NDArray u = draw(manager);
        NDArray masks = run(initialised(small(), manager), x, u).attributions();
        // One slot more, which takes the rest, and the same centres before it.
        StoppingRule rest =
                StoppingRule.builder().optEarlyTermination(true).optAddUnexplained(true).build();
        NDArray withRest =
                run(initialised(small().setSlots(K + 1).optStoppingRule(rest), manager), x, u)
                        .attributions();
        assertSame("the same slots", masks, withRest.get(":, 0:" + K));
        NDArray scope = withRest.get(":, " + K);
        assertTrue(Tensors.largest(scope) > 0.01, "something is left");
        double[] sums = sumOverSlots(masks);
        double[] left = Tensors.doubles(scope);
        for (int i = 0; i < sums.length; i++) {
            assertEquals(1, sums[i] + left[i], 1e-5);
        }
    }

    @Test
    void masksAreBetweenZeroAndOneAndTheirCentresAreWhole(NDManager manager) {
        NDArray masks =
                run(initialised(small(), manager), features(manager), draw(manager)).attributions();
        for (double mask : Tensors.doubles(masks)) {
            assertTrue(mask >= 0 && mask <= 1, () -> "mask " + mask);
        }
        // The first centre is the feature with the largest draw.
        NDArray first = draw(manager).argMax(1);
        for (int i = 0; i < B; i++) {
            long centre = first.getLong(i);
            assertEquals(1, masks.getFloat(i, 0, centre), 1e-6);
            assertEquals(0, masks.getFloat(i, 1, centre), 1e-6);
        }
    }

    /** Draws below eps count as eps: the first of them wins, as none is larger. */
    @Test
    void drawsBelowEpsAreAllTheSame(NDManager manager) {
        NDArray u = manager.full(new Shape(B, N), 0.1f);
        u.set(new NDIndex(":, 7"), 0.2f);
        for (double eps : new double[] {0.15, 0.3}) {
            StickBreakingGrouping block = initialised(small().optEps(eps), manager);
            NDArray masks = run(block, features(manager), u).attributions();
            assertEquals(1, masks.getFloat(0, 0, eps < 0.2 ? 7 : 0), 1e-6);
            assertTrue(masks.getFloat(0, 0, eps < 0.2 ? 0 : 7) < 0.99);
        }
    }

    @Test
    void permutingFeaturesAndDrawPermutesTheMasksAlone(NDManager manager) {
        StickBreakingGrouping block = initialised(small(), manager);
        long[] order = new long[N];
        for (int i = 0; i < N; i++) {
            order[i] = (7L * i + 3) % N;
        }
        NDArray index = manager.create(order);
        NDArray x = features(manager);
        NDArray u = draw(manager);
        PerceptualGroupingOutput out = run(block, x, u);
        PerceptualGroupingOutput permuted =
                run(block, x.get(":, {}", index), u.get(":, {}", index));
        assertClose("objects", out.objects(), permuted.objects(), 1e-5);
        NDArray masks = out.attributions().get(":, :, {}", index);
        assertClose("masks", masks, permuted.attributions(), 1e-5);
    }

    @Test
    void anImageAloneEqualsTheImageInABatch(NDManager manager) {
        StickBreakingGrouping block = initialised(small().optInputLayerNorm(true), manager);
        NDArray x = features(manager);
        NDArray u = draw(manager);
        PerceptualGroupingOutput all = run(block, x, u);
        for (int i = 0; i < B; i++) {
            String one = i + ":" + (i + 1);
            PerceptualGroupingOutput alone = run(block, x.get(one), u.get(one));
            assertClose("objects", all.objects().get(one), alone.objects(), 1e-5);
            assertClose("masks", all.attributions().get(one), alone.attributions(), 1e-5);
        }
    }

    @Test
    void trainingGivesWhatInferenceGives(NDManager manager) {
        StickBreakingGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        PerceptualGroupingOutput inference = run(block, x, draw(manager));
        ParameterStore store = new ParameterStore(manager, false);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            PerceptualGroupingOutput training =
                    block.group(store, new FeatureExtractorOutput(x), draw(manager), true);
            assertClose("objects", inference.objects(), training.objects(), 1e-5);
            assertClose("masks", inference.attributions(), training.attributions(), 1e-5);
            collector.backward(training.objects().sum());
        }
    }

    @Test
    void theSameSeedDrawsWhatCouldBeGiven(NDManager manager) {
        StickBreakingGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        manager.getEngine().setRandomSeed(5);
        NDArray u = manager.randomUniform(0, 1, new Shape(B, N));
        PerceptualGroupingOutput given = run(block, x, u);
        manager.getEngine().setRandomSeed(5);
        int before = manager.getManagedArrays().size();
        PerceptualGroupingOutput drawn = run(block, x, null);
        assertEquals(before + 3, manager.getManagedArrays().size(), "the draw is not left behind");
        assertSame("objects", given.objects(), drawn.objects());
        assertSame("masks", given.attributions(), drawn.attributions());
        PerceptualGroupingOutput next = run(block, x, null);
        assertFalse(next.objects().allClose(drawn.objects()), "a new draw at each call");
    }

    /** The first numbers of {@code torch.manual_seed(0); torch.rand(3)} on a CPU. */
    @Test
    void theDrawIsThatOfTorch(NDManager manager) {
        Assumptions.assumeFalse(OnDevice.device().isGpu());
        StickBreakingGrouping block = initialised(small().setSlots(1), manager);
        NDArray x = Tensors.normal(manager, 1, 1, 3, F);
        NDArray torch = manager.create(new float[] {0.4962566f, 0.7682218f, 0.0884774f});
        manager.getEngine().setRandomSeed(0);
        NDArray drawn = run(block, x, null).attributions();
        assertSame("masks", run(block, x, torch.reshape(1, 3)).attributions(), drawn);
        manager.getEngine().setRandomSeed(0);
        assertClose("draw", torch, manager.randomUniform(0, 1, new Shape(3)), 1e-6);
    }

    static Stream<Arguments> options() {
        UnaryOperator<StickBreakingGrouping.Builder> kernelVar = b -> b.optKernelVar(2);
        UnaryOperator<StickBreakingGrouping.Builder> eps = b -> b.optEps(0.2);
        UnaryOperator<StickBreakingGrouping.Builder> norm = b -> b.optInputLayerNorm(true);
        UnaryOperator<StickBreakingGrouping.Builder> rule =
                b ->
                        b.optStoppingRule(
                                StoppingRule.builder()
                                        .optEarlyTermination(true)
                                        .optAddUnexplained(true)
                                        .build());
        return Stream.of(
                Arguments.of("kernelVar", kernelVar),
                Arguments.of("eps", eps),
                Arguments.of("inputLayerNorm", norm),
                Arguments.of("stoppingRule", rule));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("options")
    void everyOptionMatters(
            String name, UnaryOperator<StickBreakingGrouping.Builder> option, NDManager manager) {
        NDArray x = features(manager);
        NDArray u = draw(manager);
        PerceptualGroupingOutput without = run(initialised(small(), manager), x, u);
        PerceptualGroupingOutput with = run(initialised(option.apply(small()), manager), x, u);
        assertFalse(with.objects().allClose(without.objects()));
        assertFalse(with.attributions().allClose(without.attributions()));
    }

    private static void backward(StickBreakingGrouping block, NDArray x, NDArray u) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray objects = block.group(store, new FeatureExtractorOutput(x), u, true).objects();
            collector.backward(objects.square().sum());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void detachedFeaturesGetNoGradient(boolean detach, NDManager manager) {
        StickBreakingGrouping block = initialised(small().optDetachFeatures(detach), manager);
        NDArray x = features(manager);
        x.setRequiresGradient(true);
        backward(block, x, draw(manager));
        assertEquals(!detach, Tensors.largest(x.getGradient()) > 0);
        NDArray weight = block.getDirectParameters().get("in_proj.weight").getArray();
        assertTrue(Tensors.largest(weight.getGradient()) > 0);
    }

    /** DJL unfreezes all parameters when it trains a model that was loaded. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theKernelIsTrainedOnlyIfAskedFor(boolean learn, NDManager manager) {
        StickBreakingGrouping block = initialised(small().optLearnKernelVar(learn), manager);
        var kernel = block.getDirectParameters().get("kernel_logvar");
        assertEquals(new Shape(), kernel.getArray().getShape());
        assertEquals(learn, kernel.requiresGradient());
        block.freezeParameters(false);
        backward(block, features(manager), draw(manager));
        assertEquals(learn, Tensors.largest(kernel.getArray().getGradient()) > 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theKernelIsSavedWhetherOrNotItIsLearnt(boolean learn, NDManager manager) throws Exception {
        StickBreakingGrouping narrow =
                initialised(small().optKernelVar(0.1).optLearnKernelVar(learn), manager);
        StickBreakingGrouping other = small().optKernelVar(3).build();
        byte[] saved = BlockContract.save(narrow);
        other.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
        NDArray kernel = other.getDirectParameters().get("kernel_logvar").getArray();
        assertEquals(Math.log(0.1), kernel.getFloat(), 1e-6);
        NDArray x = features(manager);
        NDArray u = draw(manager);
        assertSame("masks", run(narrow, x, u).attributions(), run(other, x, u).attributions());
    }

    @Test
    void startingValues(NDManager manager) {
        StickBreakingGrouping block =
                initialised(
                        StickBreakingGrouping.builder()
                                .setFeatureDim(64)
                                .setObjectDim(32)
                                .setSlots(2)
                                .optInputLayerNorm(true),
                        manager);
        var p = block.getDirectParameters();
        double in = Math.sqrt(6.0 / 128);
        double out = Math.sqrt(6.0 / 96);
        assertEquals(in, Tensors.largest(p.get("in_proj.1.weight").getArray()), 0.01 * in);
        assertEquals(out, Tensors.largest(p.get("out_proj.weight").getArray()), 0.01 * out);
        for (String zero : List.of("in_proj.0.bias", "in_proj.1.bias", "out_proj.bias")) {
            assertEquals(0, Tensors.largest(p.get(zero).getArray()), zero);
        }
        NDArray gain = p.get("in_proj.0.weight").getArray();
        assertSame("gain", gain.onesLike(), gain);
        assertEquals(0, p.get("kernel_logvar").getArray().getFloat());
    }

    @Test
    void nanInOneImageLeavesTheOthersAlone(NDManager manager) {
        StickBreakingGrouping block = initialised(small(), manager);
        NDArray x = features(manager);
        PerceptualGroupingOutput clean = run(block, x, draw(manager));
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            NDArray spoilt = x.duplicate();
            spoilt.set(new NDIndex("1, 4, 2"), bad);
            PerceptualGroupingOutput out = run(block, spoilt, draw(manager));
            assertTrue(Double.isNaN(Tensors.largest(out.objects().get("1"))));
            for (String other : List.of("0", "2")) {
                assertClose("objects", clean.objects().get(other), out.objects().get(other), 1e-6);
                assertClose(
                        "masks",
                        clean.attributions().get(other),
                        out.attributions().get(other),
                        1e-6);
            }
        }
    }

    @Test
    void oneFeature(NDManager manager) {
        StickBreakingGrouping block = initialised(small().setSlots(3), manager);
        NDArray x = Tensors.normal(manager, 1, 1, 1, F);
        PerceptualGroupingOutput out = run(block, x, manager.zeros(new Shape(1, 1)));
        // It explains itself; the others share what eps leaves.
        NDArray expected = manager.create(new float[] {1, 1e-8f, 1e-16f}).reshape(1, 3, 1);
        for (int k = 0; k < 3; k++) {
            String slot = "0, " + k;
            assertClose(slot, expected.get(slot), out.attributions().get(slot), 1e-5);
        }
        assertClose("objects", out.objects().get("0, 0"), out.objects().get("0, 1"), 1e-5);
    }

    @Test
    void moreSlotsThanFeatures(NDManager manager) {
        StickBreakingGrouping block = initialised(small().setSlots(30), manager);
        PerceptualGroupingOutput out = run(block, features(manager), draw(manager));
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
        for (double sum : sumOverSlots(out.attributions())) {
            assertEquals(1, sum, 1e-5);
        }
    }
}
