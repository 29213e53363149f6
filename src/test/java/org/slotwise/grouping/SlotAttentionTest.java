package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
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
import ai.djl.training.initializer.ConstantInitializer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What {@link SlotAttention} must do whatever its weights: invariants, masks, odd inputs. */
@ExtendWith(OnDevice.class)
class SlotAttentionTest {

    private static final long B = 3;
    private static final long N = 11;
    private static final long K = 4;

    private static SlotAttention.Builder small() {
        return SlotAttention.builder().setDim(6).setFeatureDim(5);
    }

    private static SlotAttention initialised(SlotAttention.Builder builder, NDManager manager) {
        return initialised(builder, manager, DataType.FLOAT32);
    }

    private static SlotAttention initialised(
            SlotAttention.Builder builder, NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(3);
        SlotAttention block = builder.build();
        block.initialize(manager, type, new Shape(B, N, 5), new Shape(B, K, 6));
        return block;
    }

    private static NDArray features(NDManager manager) {
        return Tensors.normal(manager, 1, B, N, 5);
    }

    private static NDArray conditioning(NDManager manager) {
        return Tensors.normal(manager, 2, B, K, 6);
    }

    private static PerceptualGroupingOutput run(
            SlotAttention block, NDArray x, NDArray s, NDArray mask) {
        ParameterStore store = new ParameterStore(x.getManager(), false);
        return block.group(store, new FeatureExtractorOutput(x), s, mask, false);
    }

    private static NDArray permute(NDArray x, int axis, long... order) {
        NDArray index = x.getManager().create(order);
        return axis == 1 ? x.get(":, {}", index) : x.get(":, :, {}", index);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void attentionSumsToOneOverHeadsPerFeature(int heads, NDManager manager) {
        SlotAttention block = initialised(small().optHeads(heads), manager);
        NDArray a = run(block, features(manager), conditioning(manager), null).attributions();
        NDArray sums = a.sum(new int[] {1});
        assertClose("sum over slots", manager.ones(sums.getShape()).div(heads), sums, 1e-6);
    }

    @Test
    void permutingSlotsPermutesTheOutputs(NDManager manager) {
        SlotAttention block = initialised(small().optHeads(2), manager);
        long[] order = {2, 0, 3, 1};
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput out = run(block, features(manager), s, null);
        PerceptualGroupingOutput permuted =
                run(block, features(manager), permute(s, 1, order), null);
        assertClose("slots", permute(out.objects(), 1, order), permuted.objects(), 1e-5);
        assertClose(
                "attention", permute(out.attributions(), 1, order), permuted.attributions(), 1e-5);
    }

    @Test
    void permutingFeaturesPermutesTheAttentionAlone(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        long[] order = {10, 3, 7, 0, 1, 9, 2, 8, 4, 6, 5};
        NDArray x = features(manager);
        PerceptualGroupingOutput out = run(block, x, conditioning(manager), null);
        PerceptualGroupingOutput permuted =
                run(block, permute(x, 1, order), conditioning(manager), null);
        assertClose("slots", out.objects(), permuted.objects(), 1e-5);
        assertClose(
                "attention", permute(out.attributions(), 2, order), permuted.attributions(), 1e-5);
    }

    @Test
    void anImageAloneEqualsTheImageInABatch(NDManager manager) {
        SlotAttention block = initialised(small().optFeedForward(new FeedForward(6, 8)), manager);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput all = run(block, x, s, null);
        for (int i = 0; i < B; i++) {
            String one = i + ":" + (i + 1);
            PerceptualGroupingOutput alone = run(block, x.get(one), s.get(one), null);
            assertClose("slots", all.objects().get(one), alone.objects(), 1e-5);
            assertClose("attention", all.attributions().get(one), alone.attributions(), 1e-5);
        }
    }

    @Test
    void aMaskedSlotReceivesNothingAndIsNotMissed(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        boolean[] mask = new boolean[(int) (B * K)];
        for (int i = 0; i < B; i++) {
            mask[i * (int) K + 1] = true;
        }
        NDArray slotMask = manager.create(mask).reshape(new Shape(B, K));
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput out = run(block, features(manager), s, slotMask);
        assertEquals(0, Tensors.largest(out.attributions().get(":, 1")));
        Tensors.assertSame("empty", slotMask, out.isEmpty());
        long[] others = {0, 2, 3};
        PerceptualGroupingOutput without =
                run(block, features(manager), permute(s, 1, others), null);
        assertClose("the other slots", without.objects(), permute(out.objects(), 1, others), 1e-5);
    }

    /** The reference gives NaN in both cases. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-8, 0})
    void allSlotsOfAnImageMasked(double eps, NDManager manager) {
        SlotAttention block = initialised(small().optEps(eps).optHeads(2), manager);
        boolean[] mask = new boolean[(int) (B * K)];
        Arrays.fill(mask, (int) K, 2 * (int) K, true);
        NDArray slotMask = manager.create(mask).reshape(new Shape(B, K));
        NDArray x = features(manager);
        x.setRequiresGradient(true);
        PerceptualGroupingOutput out;
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            ParameterStore store = new ParameterStore(manager, false);
            out =
                    block.group(
                            store,
                            new FeatureExtractorOutput(x),
                            conditioning(manager),
                            slotMask,
                            true);
            collector.backward(out.objects().sum().add(out.attributions().square().sum()));
        }
        assertEquals(0, Tensors.largest(out.attributions().get("1")));
        assertTrue(Double.isFinite(Tensors.largest(out.objects())));
        assertTrue(Double.isFinite(Tensors.largest(x.getGradient())));
        block.getParameters()
                .forEach(
                        p ->
                                assertTrue(
                                        Double.isFinite(
                                                Tensors.largest(
                                                        p.getValue().getArray().getGradient())),
                                        p.getKey()));
        PerceptualGroupingOutput unmasked = run(block, x, conditioning(manager), null);
        assertClose("other images", unmasked.objects().get("0"), out.objects().get("0"), 1e-6);
    }

    /** A slot that nothing reaches keeps going on the GRU of zero; the reference gives NaN. */
    @Test
    void withoutEpsAMaskedSlotIsUpdatedWithZero(NDManager manager) {
        SlotAttention block = initialised(small().optEps(0).optIterations(1), manager);
        block.getDirectParameters()
                .get("gru.weight_ih")
                .getArray()
                .muli(manager.zeros(new Shape()));
        NDArray s = conditioning(manager);
        NDArray expected = run(block, features(manager), s, null).objects();
        boolean[] mask = new boolean[(int) (B * K)];
        mask[0] = true;
        block = initialised(small().optEps(0).optIterations(1), manager);
        NDArray slotMask = manager.create(mask).reshape(new Shape(B, K));
        NDArray got = run(block, features(manager), s, slotMask).objects();
        assertClose("masked slot", expected.get("0, 0"), got.get("0, 0"), 1e-6);
    }

    @Test
    void nanInOneImageLeavesTheOthersAlone(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        NDArray x = features(manager);
        PerceptualGroupingOutput clean = run(block, x, conditioning(manager), null);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            NDArray spoilt = x.duplicate();
            spoilt.set(new ai.djl.ndarray.index.NDIndex("1, 4, 2"), bad);
            PerceptualGroupingOutput out = run(block, spoilt, conditioning(manager), null);
            assertTrue(Double.isNaN(Tensors.largest(out.objects().get("1"))));
            for (String other : List.of("0", "2")) {
                assertClose(
                        "image " + other,
                        clean.objects().get(other),
                        out.objects().get(other),
                        1e-6);
            }
        }
    }

    @Test
    void oneSlotOneFeatureOneImage(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        PerceptualGroupingOutput out =
                run(
                        block,
                        Tensors.normal(manager, 1, 1, 1, 5),
                        Tensors.normal(manager, 2, 1, 1, 6),
                        null);
        assertEquals(1.0, out.attributions().getFloat(0, 0, 0), 1e-6);
    }

    @Test
    void theNumberOfSlotsMayChangeFromCallToCall(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        for (int k : new int[] {1, 7, 20}) {
            PerceptualGroupingOutput out =
                    run(block, features(manager), Tensors.normal(manager, 2, B, k, 6), null);
            assertEquals(new Shape(B, k, 6), out.objects().getShape());
            assertEquals(new Shape(B, k, N), out.attributions().getShape());
        }
    }

    @Test
    void hugeFeaturesStayFinite(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        NDArray x = features(manager).mul(1e10f);
        NDArray s = conditioning(manager).mul(1e10f);
        assertTrue(Double.isFinite(Tensors.largest(run(block, x, s, null).objects())));
    }

    /** Each option against the default, on the same seed and inputs. */
    @Test
    void everyOptionChangesTheResult(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray plain = run(initialised(small(), manager), x, s, null).objects();
        List<SlotAttention.Builder> changed = new ArrayList<>();
        changed.add(small().optKvqDim(8));
        changed.add(small().optHeads(2));
        changed.add(small().optIterations(4));
        changed.add(small().optEps(0.1));
        changed.add(small().optFeedForward(new FeedForward(6, 8)));
        changed.add(small().optProjectionBias(true));
        changed.add(small().optImplicitDifferentiation(true));
        for (int i = 0; i < changed.size(); i++) {
            NDArray other = run(initialised(changed.get(i), manager), x, s, null).objects();
            assertTrue(Tensors.largest(other.sub(plain)) > 1e-4, "option " + i);
        }
    }

    @Test
    void implicitDifferentiationIsOneIterationMore(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray implicit =
                run(initialised(small().optImplicitDifferentiation(true), manager), x, s, null)
                        .objects();
        NDArray explicit =
                run(initialised(small().optIterations(4), manager), x, s, null).objects();
        assertClose("T + 1 iterations", explicit, implicit, 1e-6);
    }

    @Test
    void aUsersInitializerOverridesTheStartingValues(NDManager manager) {
        SlotAttention block = small().build();
        block.setInitializer(new ConstantInitializer(0.25f), Parameter.Type.WEIGHT);
        block.initialize(manager, DataType.FLOAT32, new Shape(B, N, 5), new Shape(B, K, 6));
        NDArray query = block.getDirectParameters().get("to_q.weight").getArray();
        assertClose("weights", manager.full(query.getShape(), 0.25f), query, 0);
        NDArray gain = block.getDirectParameters().get("norm_slots.weight").getArray();
        assertClose("gains", manager.ones(gain.getShape()), gain, 0);
    }

    @Test
    void startingValuesAreThoseOfPyTorch(NDManager manager) {
        SlotAttention block = SlotAttention.builder().setDim(64).setFeatureDim(100).build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 100), new Shape(1, 1, 64));
        assertUniform(block, "to_k.weight", 0.1);
        assertUniform(block, "to_q.weight", 1 / 8.0);
        assertUniform(block, "gru.weight_ih", 1 / 8.0);
        assertUniform(block, "gru.bias_hh", 1 / 8.0);
    }

    private static void assertUniform(SlotAttention block, String name, double bound) {
        NDArray value = block.getDirectParameters().get(name).getArray();
        double largest = Tensors.largest(value);
        assertTrue(largest <= bound && largest > 0.95 * bound, name + " up to " + largest);
        assertFalse(Math.abs(value.mean().getFloat()) > 0.2 * bound, name);
    }

    @Test
    void asABlockItTakesInputsByNameOrInOrder(NDManager manager) {
        SlotAttention block = initialised(small(), manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDList inOrder = block.forward(store, new NDList(x, s), false);
        assertEquals("objects", inOrder.get(0).getName());
        assertEquals("feature_attributions", inOrder.get(1).getName());
        NDArray named = s.duplicate();
        named.setName("conditioning");
        NDList byName = block.forward(store, new NDList(named, x), false);
        assertClose("by name", inOrder.get(0), byName.get(0), 0);
        Shape[] announced = block.getOutputShapes(new Shape[] {x.getShape(), s.getShape()});
        assertEquals(inOrder.get(0).getShape(), announced[0]);
        assertEquals(inOrder.get(1).getShape(), announced[1]);
    }
}
