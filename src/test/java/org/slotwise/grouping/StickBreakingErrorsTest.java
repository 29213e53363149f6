package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Every error that {@link StickBreakingGrouping} promises, to the letter. */
@ExtendWith(OnDevice.class)
class StickBreakingErrorsTest {

    private ParameterStore store;
    private StickBreakingGrouping block;
    private NDArray x;
    private NDArray u;

    private static StickBreakingGrouping.Builder small() {
        return StickBreakingGrouping.builder().setObjectDim(6).setFeatureDim(5).setSlots(3);
    }

    @BeforeEach
    void setUp(NDManager manager) {
        store = new ParameterStore(manager, false);
        block = small().build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 5));
        x = Tensors.normal(manager, 1, 2, 9, 5);
        u = Tensors.uniform(manager, 2, DataType.FLOAT32, 2, 9);
    }

    private void refused(String message, NDArray features, NDArray conditioning) {
        assertRefused(
                "StickBreakingGrouping: " + message,
                () ->
                        block.group(
                                store, new FeatureExtractorOutput(features), conditioning, false));
    }

    @Test
    void shapes(NDManager manager) {
        refused(
                "features must be (B, N, 5), got (2, 9, 4)",
                Tensors.normal(manager, 1, 2, 9, 4),
                u);
        refused(
                "features must be (B, N, 5), each size at least 1, got (2, 0, 5)",
                manager.zeros(new Shape(2, 0, 5)),
                null);
        refused(
                "features must be (B, N, F), got those of videos (2, 4, 9, 5); group them frame by"
                        + " frame, see FeatureExtractorOutput.frames()",
                Tensors.normal(manager, 1, 2, 4, 9, 5),
                u);
        refused("conditioning must be (2, 9), got (2, 8)", x, manager.zeros(new Shape(2, 8)));
        refused("conditioning must be (2, 9), got (9)", x, manager.zeros(new Shape(9)));
        assertRefused(
                "StickBreakingGrouping: features must be (B, N, 5), got (2, 9, 4)",
                () -> block.getOutputShapes(new Shape[] {new Shape(2, 9, 4)}));
    }

    @Test
    void typesAndDevices(NDManager manager) {
        refused(
                "features must be float32 as the block's parameters, got float64",
                x.toType(DataType.FLOAT64, true),
                null);
        refused(
                "features must be float32, float64 or float16, got bfloat16",
                FakeArray.ofType(DataType.BFLOAT16, x),
                null);
        refused(
                "conditioning must be float32 as features, got float64",
                x,
                u.toType(DataType.FLOAT64, true));
        Device elsewhere = Device.of("gpu", 99);
        refused(
                "conditioning must be on " + x.getDevice() + " as features, got gpu(99)",
                x,
                FakeArray.on(elsewhere, u));
    }

    @Test
    void missingFeatures(NDManager manager) {
        assertRefused(
                "StickBreakingGrouping: features is missing",
                () -> block.forward(store, new NDList(), false));
    }

    @Test
    void options() {
        String who = "StickBreakingGrouping: ";
        assertRefused(
                who + "objectDim must be at least 1, got 0",
                () -> StickBreakingGrouping.builder().setFeatureDim(5).setSlots(3).build());
        assertRefused(
                who + "featureDim must be at least 1, got 0",
                () -> StickBreakingGrouping.builder().setObjectDim(5).setSlots(3).build());
        assertRefused(
                who + "slots must be at least 1, got 0",
                () -> StickBreakingGrouping.builder().setObjectDim(5).setFeatureDim(3).build());
        for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    who + "kernelVar must be above 0 and finite, got " + bad,
                    () -> small().optKernelVar(bad).build());
        }
        for (double bad : new double[] {0, -1, 1, Double.NaN}) {
            assertRefused(
                    who + "eps must be in (0, 1), got " + bad, () -> small().optEps(bad).build());
        }
    }

    @Test
    void notInitialised(NDManager manager) {
        StickBreakingGrouping fresh = small().build();
        Exception e =
                assertThrows(
                        IllegalStateException.class,
                        () -> fresh.group(store, new FeatureExtractorOutput(x), u, false));
        assertEquals(
                "StickBreakingGrouping: initialize the block, or load its parameters, before it is"
                        + " used",
                e.getMessage());
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        byte[] saved = BlockContract.save(block);
        StickBreakingGrouping other = small().optInputLayerNorm(true).build();
        Exception e =
                assertThrows(
                        MalformedModelException.class,
                        () ->
                                other.loadParameters(
                                        manager,
                                        new DataInputStream(new ByteArrayInputStream(saved))));
        assertEquals(
                "StickBreakingGrouping: the block is StickBreakingGrouping(objectDim=6,"
                        + " featureDim=5, inputLayerNorm=true), the parameters are of"
                        + " StickBreakingGrouping(objectDim=6, featureDim=5,"
                        + " inputLayerNorm=false)",
                e.getMessage());
    }
}
