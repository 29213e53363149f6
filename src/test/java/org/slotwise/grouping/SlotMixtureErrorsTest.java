package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Every error that {@link SlotMixtureGrouping} promises, to the letter. */
@ExtendWith(OnDevice.class)
class SlotMixtureErrorsTest {

    private static final String WHO = "SlotMixtureGrouping: ";

    private ParameterStore store;
    private SlotMixtureGrouping block;
    private NDArray x;
    private NDArray s;

    private static SlotMixtureGrouping.Builder small() {
        return SlotMixtureGrouping.builder().setDim(6).setFeatureDim(5);
    }

    @BeforeEach
    void setUp(NDManager manager) {
        store = new ParameterStore(manager, false);
        block = small().build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 5), new Shape(1, 1, 6));
        x = Tensors.normal(manager, 1, 2, 9, 5);
        s = Tensors.normal(manager, 2, 2, 3, 6);
    }

    private void refused(
            String message,
            NDArray features,
            @Nullable NDArray conditioning,
            @Nullable NDArray mask) {
        assertRefused(
                WHO + message,
                () ->
                        block.mixture(
                                store,
                                new FeatureExtractorOutput(features),
                                conditioning,
                                mask,
                                false));
    }

    @Test
    void inputs(NDManager manager) {
        NDArray other = Tensors.normal(manager, 1, 2, 9, 4);
        refused("features must be (B, N, 5), got (2, 9, 4)", other, s, null);
        refused(
                "features must be (B, N, 5), each size at least 1, got (2, 0, 5)",
                manager.zeros(new Shape(2, 0, 5)),
                s,
                null);
        refused("conditioning is missing: the slots' initial values, (B, K, D)", x, null, null);
        refused(
                "conditioning must be (2, K, 6), got (2, 3, 3)",
                x,
                Tensors.normal(manager, 2, 2, 3, 3),
                null);
        refused(
                "conditioning must be float32 as features, got float64",
                x,
                s.toType(DataType.FLOAT64, true),
                null);
        refused(
                "features must be float32, float64 or float16, got bfloat16",
                FakeArray.ofType(DataType.BFLOAT16, x),
                s,
                null);
        refused(
                "slot_mask must be (2, 3), got (2, 2)",
                x,
                s,
                manager.zeros(new Shape(2, 2), DataType.BOOLEAN));
        refused("slot_mask must be boolean, got float32", x, s, manager.zeros(new Shape(2, 3)));
        refused(
                "features must be (B, N, F), got those of videos (2, 4, 9, 5); group them frame by"
                        + " frame, see FeatureExtractorOutput.frames()",
                Tensors.normal(manager, 1, 2, 4, 9, 5),
                s,
                null);
        assertRefused(WHO + "features is missing", () -> block.forward(store, new NDList(), false));
    }

    @Test
    void options() {
        for (int bad : new int[] {0, -2, 7}) {
            assertRefused(
                    WHO + "dim must be even and at least 2, got " + bad,
                    () -> small().setDim(bad).build());
        }
        assertRefused(
                WHO + "featureDim must be at least 1, got 0",
                () -> SlotMixtureGrouping.builder().setDim(6).build());
        assertRefused(
                WHO + "iterations must be at least 1, got 0",
                () -> small().optIterations(0).build());
        for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    WHO + "eps must be at least 0 and finite, got " + bad,
                    () -> small().optEps(bad).build());
        }
        for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    WHO + "leastVariance must be at least 1e-30 and finite, got " + bad,
                    () -> small().optLeastVariance(bad).build());
        }
        assertRefused(
                WHO + "leastVariance must be at most 1e12, got 2.0E12",
                () -> small().optLeastVariance(2e12).build());
        for (double edge : new double[] {1e-30, 1e12}) {
            small().optLeastVariance(edge).build();
        }
    }

    @Test
    void leastVariancesOfTheType(NDManager manager) {
        Shape[] shapes = {x.getShape(), s.getShape()};
        small().optLeastVariance(2e4).build().initialize(manager, DataType.FLOAT32, shapes);
        small().optLeastVariance(1e4).build().initialize(manager, DataType.FLOAT16, shapes);
        assertRefused(
                WHO + "leastVariance must be at most 1e4 in float16, got 20000.0",
                () ->
                        small().optLeastVariance(2e4)
                                .build()
                                .initialize(manager, DataType.FLOAT16, shapes));
    }

    @Test
    void aFeedForwardOfAnotherSize(NDManager manager) {
        SlotMixtureGrouping fed = small().optFeedForward(new FeedForward(6, 7)).build();
        assertThrows(
                IllegalArgumentException.class,
                () -> {
                    fed.initialize(manager, DataType.FLOAT32, new Shape(-1));
                    fed.group(store, new FeatureExtractorOutput(x), s, false);
                });
    }

    @Test
    void notInitialised() {
        Exception e =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                small().build()
                                        .group(store, new FeatureExtractorOutput(x), s, false));
        assertEquals(
                WHO + "initialize the block, or load its parameters, before it is used",
                e.getMessage());
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        byte[] saved = BlockContract.save(block);
        SlotMixtureGrouping other = small().setDim(8).build();
        Exception e =
                assertThrows(
                        MalformedModelException.class,
                        () ->
                                other.loadParameters(
                                        manager,
                                        new DataInputStream(new ByteArrayInputStream(saved))));
        assertEquals(
                WHO
                        + "the block is SlotMixtureGrouping(dim=8, featureDim=5,"
                        + " feedForward=false), the parameters are of SlotMixtureGrouping(dim=6,"
                        + " featureDim=5, feedForward=false)",
                e.getMessage());
        byte[] truncated = Arrays.copyOf(saved, saved.length / 2);
        assertThrows(
                EOFException.class,
                () ->
                        small().build()
                                .loadParameters(
                                        manager,
                                        new DataInputStream(new ByteArrayInputStream(truncated))));
    }
}
