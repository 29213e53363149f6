package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.testing.OnDevice;

/** The attention of every iteration is that of a block with so many iterations. */
@ExtendWith(OnDevice.class)
class AttentionTraceTest {

    private static final double ROUNDING = 1e-6;

    private static SlotAttention attention(
            NDManager manager, int iterations, int heads, boolean implicit) {
        manager.getEngine().setRandomSeed(3);
        SlotAttention block =
                SlotAttention.builder()
                        .setDim(8)
                        .setFeatureDim(5)
                        .optHeads(heads)
                        .optIterations(iterations)
                        .optImplicitDifferentiation(implicit)
                        .optFeedForward(new FeedForward(8, 12))
                        .build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1, -1, 5), new Shape(-1, -1, 8));
        return block;
    }

    private static ParameterStore store(NDManager manager) {
        return new ParameterStore(manager, false);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, false", "3, 1, false", "4, 2, false", "1, 1, true", "3, 2, true"})
    void ofSlotAttention(int iterations, int heads, boolean implicit, NDManager manager) {
        FeatureExtractorOutput features = new FeatureExtractorOutput(normal(manager, 1, 2, 9, 5));
        NDArray start = normal(manager, 2, 2, 3, 8);
        NDArray mask =
                manager.create(
                        new boolean[] {false, true, false, false, false, false}, new Shape(2, 3));
        SlotAttention block = attention(manager, iterations, heads, implicit);
        PerceptualGroupingOutput plain = block.group(store(manager), features, start, mask, false);
        AttentionTrace<PerceptualGroupingOutput> trace =
                block.trace(store(manager), features, start, mask);
        assertSame("objects", plain.objects(), trace.result().objects());
        assertSame("attributions", plain.attributions(), trace.result().attributions());
        assertSame("empty", mask, trace.result().isEmpty());
        int times = implicit ? iterations + 1 : iterations;
        assertEquals(new Shape(2, times, 3, 9), trace.attentions().getShape());
        for (int t = 1; t <= times; t++) {
            NDArray expected =
                    attention(manager, t, heads, false)
                            .group(store(manager), features, start, mask, false)
                            .attributions();
            NDArray seen = trace.attentions().get(":, {}", t - 1);
            assertClose("iteration " + t, expected, seen, ROUNDING);
        }
        assertSame(
                "the last one", plain.attributions(), trace.attentions().get(":, {}", times - 1));
    }

    @Test
    void ofABatchInGroups(NDManager manager) {
        // Larger than what is computed at once on a CPU.
        FeatureExtractorOutput features =
                new FeatureExtractorOutput(normal(manager, 1, 9, 40_000, 5));
        NDArray start = normal(manager, 2, 9, 2, 8);
        AttentionTrace<PerceptualGroupingOutput> trace =
                attention(manager, 2, 1, false).trace(store(manager), features, start, null);
        assertEquals(new Shape(9, 2, 2, 40_000), trace.attentions().getShape());
        assertSame("last", trace.result().attributions(), trace.attentions().get(":, 1"));
    }

    @Test
    void ofTheGroupingWithPositions(NDManager manager) {
        manager.getEngine().setRandomSeed(4);
        SlotAttentionGrouping grouping =
                SlotAttentionGrouping.builder()
                        .setSlotAttention(
                                SlotAttention.builder().setDim(8).setFeatureDim(5).build())
                        .optPositionalEmbedding(
                                SoftPositionEmbed.builder()
                                        .setSpatialDims(2)
                                        .setFeatureDim(5)
                                        .build())
                        .optEmptySlotForMasked(true)
                        .build();
        grouping.initialize(manager, DataType.FLOAT32, new Shape(-1, -1, 5), new Shape(-1, 2));
        FeatureExtractorOutput features =
                new FeatureExtractorOutput(
                        normal(manager, 1, 2, 9, 5), uniform(manager, 5, DataType.FLOAT32, 9, 2));
        NDArray start = normal(manager, 2, 2, 3, 8);
        int before = manager.getManagedArrays().size();
        AttentionTrace<PerceptualGroupingOutput> trace =
                grouping.trace(store(manager), features, start, null);
        assertEquals(before + 3, manager.getManagedArrays().size(), "outputs alone are left");
        PerceptualGroupingOutput plain = grouping.group(store(manager), features, start, false);
        // Other operations give the same to rounding.
        assertClose("objects", plain.objects(), trace.result().objects(), 1e-6);
        assertEquals(new Shape(2, 3, 3, 9), trace.attentions().getShape());
        assertClose("last", plain.attributions(), trace.attentions().get(":, 2"), 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"1, false", "3, false", "1, true", "4, true"})
    void ofInvariantSlotAttention(int times, boolean implicit, NDManager manager) {
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention block =
                InvariantSlotAttention.builder()
                        .setDim(6)
                        .setFeatureDim(5)
                        .optImplicitDifferentiation(implicit)
                        .build();
        block.initialize(manager, DataType.FLOAT32);
        FeatureExtractorOutput features =
                new FeatureExtractorOutput(
                        normal(manager, 1, 2, 9, 5), uniform(manager, 2, DataType.FLOAT32, 9, 2));
        NDArray start = normal(manager, 3, 2, 3, 6);
        NDArray places = uniform(manager, 4, DataType.FLOAT32, 2, 3, 2);
        int before = manager.getManagedArrays().size();
        AttentionTrace<PositionedSlots> trace =
                block.trace(store(manager), features, start, places, times);
        assertEquals(before + 4, manager.getManagedArrays().size(), "outputs alone are left");
        assertEquals(new Shape(2, times, 3, 9), trace.attentions().getShape());
        for (int t = 1; t <= times; t++) {
            PositionedSlots plain = block.group(store(manager), features, start, places, t, false);
            NDArray seen = trace.attentions().get(":, {}", t - 1);
            assertClose("iteration " + t, plain.attributions(), seen, ROUNDING);
            if (t == times) {
                // Traced one by one, else in one call.
                assertClose("objects", plain.objects(), trace.result().objects(), ROUNDING);
                assertClose("positions", plain.positions(), trace.result().positions(), ROUNDING);
            }
        }
    }

    @Test
    void refusesWhatGroupRefuses(NDManager manager) {
        SlotAttention block = attention(manager, 2, 1, false);
        FeatureExtractorOutput features = new FeatureExtractorOutput(normal(manager, 1, 2, 9, 4));
        assertRefused(
                "SlotAttention: features must be (B, N, 5), got (2, 9, 4)",
                () -> block.trace(store(manager), features, normal(manager, 2, 2, 3, 8), null));
    }
}
