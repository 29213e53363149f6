package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.ParameterStore;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Every error that {@link SlotAttention} promises, to the letter. */
@ExtendWith(OnDevice.class)
class SlotAttentionErrorsTest {

    private ParameterStore store;
    private SlotAttention block;
    private NDArray x;
    private NDArray s;

    private static SlotAttention.Builder small() {
        return SlotAttention.builder().setDim(6).setFeatureDim(5);
    }

    @BeforeEach
    void setUp(NDManager manager) {
        store = new ParameterStore(manager, false);
        block = small().build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 5), new Shape(1, 1, 6));
        x = Tensors.normal(manager, 1, 2, 9, 5);
        s = Tensors.normal(manager, 2, 2, 3, 6);
    }

    private void refused(String message, NDArray features, NDArray conditioning, NDArray mask) {
        assertRefused(
                "SlotAttention: " + message,
                () ->
                        block.group(
                                store,
                                new FeatureExtractorOutput(features),
                                conditioning,
                                mask,
                                false));
    }

    @Test
    void shapes(NDManager manager) {
        refused(
                "conditioning must be (2, K, 6), got (2, 3, 7)",
                x,
                Tensors.normal(manager, 1, 2, 3, 7),
                null);
        refused(
                "conditioning must be (2, K, 6), got (3, 3, 6)",
                x,
                Tensors.normal(manager, 1, 3, 3, 6),
                null);
        refused(
                "conditioning must be (2, K, 6), got (2, 6)",
                x,
                Tensors.normal(manager, 1, 2, 6),
                null);
        refused("conditioning is missing: the slots' initial values, (B, K, D)", x, null, null);
        refused(
                "features must be (B, N, 5), got (2, 9, 4)",
                Tensors.normal(manager, 1, 2, 9, 4),
                s,
                null);
        refused(
                "features must be (B, N, F), got those of videos (2, 4, 9, 5); group them frame by"
                        + " frame, see FeatureExtractorOutput.frames()",
                Tensors.normal(manager, 1, 2, 4, 9, 5),
                s,
                null);
        refused(
                "slot_mask must be (2, 3), got (2, 4)",
                x,
                s,
                manager.zeros(new Shape(2, 4), DataType.BOOLEAN));
    }

    @Test
    void nothingIsEmpty(NDManager manager) {
        refused(
                "features must be (B, N, 5), each size at least 1, got (0, 9, 5)",
                manager.zeros(new Shape(0, 9, 5)),
                s,
                null);
        refused(
                "features must be (B, N, 5), each size at least 1, got (2, 0, 5)",
                manager.zeros(new Shape(2, 0, 5)),
                s,
                null);
        refused(
                "conditioning must be (2, K, 6), each size at least 1, got (2, 0, 6)",
                x,
                manager.zeros(new Shape(2, 0, 6)),
                null);
    }

    @Test
    void types(NDManager manager) {
        NDArray x64 = x.toType(DataType.FLOAT64, true);
        NDArray s64 = s.toType(DataType.FLOAT64, true);
        refused("features must be float32 as the block's parameters, got float64", x64, s64, null);
        refused("conditioning must be float32 as features, got float64", x, s64, null);
        refused(
                "features must be float32, float64 or float16, got int64",
                x.toType(DataType.INT64, true),
                s,
                null);
        refused("slot_mask must be boolean, got float32", x, s, manager.zeros(new Shape(2, 3)));
    }

    /** bfloat16 would end the process in native code. */
    @Test
    void bfloat16(NDManager manager) {
        refused(
                "features must be float32, float64 or float16, got bfloat16",
                FakeArray.ofType(DataType.BFLOAT16, x),
                s,
                null);
        assertRefused(
                "SlotAttention: parameters must be float32, float64 or float16, got bfloat16",
                () -> small().build().initialize(manager, DataType.BFLOAT16, x.getShape()));
    }

    @Test
    void devices(NDManager manager) {
        Device elsewhere = Device.of("elsewhere", 0);
        String here = manager.getDevice().toString();
        refused(
                "conditioning must be on " + here + " as features, got elsewhere(0)",
                x,
                FakeArray.on(elsewhere, s),
                null);
        refused(
                "slot_mask must be on " + here + " as features, got elsewhere(0)",
                x,
                s,
                FakeArray.on(elsewhere, manager.zeros(new Shape(2, 3), DataType.BOOLEAN)));
        refused(
                "features must be on a device of the parameter store ("
                        + here
                        + "), got elsewhere(0)",
                FakeArray.on(elsewhere, x),
                FakeArray.on(elsewhere, s),
                null);
    }

    @Test
    void options() {
        String who = "SlotAttention: ";
        assertRefused(
                who + "dim must be at least 1, got 0",
                () -> SlotAttention.builder().setFeatureDim(5).build());
        assertRefused(
                who + "featureDim must be at least 1, got 0",
                () -> SlotAttention.builder().setDim(5).build());
        assertRefused(who + "heads must be at least 1, got 0", () -> small().optHeads(0).build());
        assertRefused(
                who + "kvqDim must be a multiple of heads, got 6 and 4",
                () -> small().optHeads(4).build());
        assertRefused(
                who + "kvqDim must be at least 1, got -8", () -> small().optKvqDim(-8).build());
        assertRefused(
                who + "iterations must be at least 1, got 0",
                () -> small().optIterations(0).build());
        for (double eps : new double[] {-1e-8, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    who + "eps must be at least 0 and finite, got " + eps,
                    () -> small().optEps(eps).build());
        }
        assertRefused("FeedForward: dim must be at least 1, got 0", () -> new FeedForward(0, 3));
        assertRefused("FeedForward: hidden must be at least 1, got 0", () -> new FeedForward(3, 0));
    }

    @Test
    void feedForwardOfAnotherSize(NDManager manager) {
        SlotAttention odd =
                small().optFeedForward(
                                new LambdaBlock(l -> new NDList(l.head().get(":, :, 1:")), "odd"))
                        .build();
        odd.initialize(manager, DataType.FLOAT32, x.getShape(), s.getShape());
        assertRefused(
                "SlotAttention: the feed-forward must give (2, 3, 6), got (2, 3, 5)",
                () -> odd.group(store, new FeatureExtractorOutput(x), s, false));
        assertRefused(
                "FeedForward: slots must be (..., 4), got (2, 9, 5)",
                () -> new FeedForward(4, 3).forward(store, new NDList(x), false));
    }

    @Test
    void notInitialised() {
        SlotAttention raw = small().build();
        assertEquals(
                "SlotAttention: initialize the block, or load its parameters, before it is used",
                assertThrows(
                                IllegalStateException.class,
                                () -> raw.group(store, new FeatureExtractorOutput(x), s, false))
                        .getMessage());
    }

    @Test
    void lists() {
        assertRefused(
                "SlotAttention: expected inputs [features, conditioning, slot_mask], got 4 arrays",
                () -> block.forward(store, new NDList(x, s, s, s), false));
        assertRefused(
                "SlotAttention: features is missing",
                () -> block.forward(store, new NDList(), false));
        NDArray twin = x.duplicate();
        twin.setName("features");
        NDArray other = x.duplicate();
        other.setName("features");
        assertRefused(
                "SlotAttention: two inputs are named features",
                () -> block.forward(store, new NDList(twin, other), false));
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        byte[] saved = BlockContract.save(block);
        SlotAttention other = small().optHeads(2).build();
        assertEquals(
                "SlotAttention: the block is SlotAttention(dim=6, featureDim=5, kvqDim=6, heads=2,"
                        + " projectionBias=false, feedForward=false), the parameters are of"
                        + " SlotAttention(dim=6, featureDim=5, kvqDim=6, heads=1,"
                        + " projectionBias=false, feedForward=false)",
                refusal(saved, other, manager));
        // What was saved before there were variants does not name one.
        assertTrue(!new String(saved, StandardCharsets.ISO_8859_1).contains("variant"));
        saved[0] = 9;
        assertEquals(
                "SlotAttention: expected parameters of version 1, got 9",
                refusal(saved, small().build(), manager));
    }
}
