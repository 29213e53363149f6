package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.grouping.SoftKMeansGrouping.Score;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** {@link SoftKMeansGrouping} as a block: the contract, shapes, and every error, to the letter. */
@ExtendWith(OnDevice.class)
class SoftKMeansBlockTest {

    private static final String WHO = "SoftKMeansGrouping: ";

    private static NDList inputs(NDManager manager, DataType type) {
        NDArray mask = manager.create(new boolean[] {false, true, false, false, false, true});
        return new NDList(
                Tensors.normal(manager, 1, type, 2, 9, 5),
                Tensors.normal(manager, 2, type, 2, 3, 5),
                mask.reshape(new Shape(2, 3)));
    }

    /** With an eps that float16 can hold. */
    @ParameterizedTest
    @EnumSource
    void keepsTheContract(Score score, NDManager manager) {
        new BlockContract(
                        () ->
                                SoftKMeansGrouping.builder()
                                        .optScore(score)
                                        .optTemperature(1.5)
                                        .optEps(1e-3)
                                        .build(),
                        SoftKMeansBlockTest::inputs)
                .check(manager);
    }

    @Test
    void hasNoParameters() {
        assertTrue(SoftKMeansGrouping.builder().build().getParameters().isEmpty());
    }

    @Test
    void knowsItsOutputShapes() {
        SoftKMeansGrouping block = SoftKMeansGrouping.builder().build();
        Shape[] expected = {new Shape(2, 3, 5), new Shape(2, 3, 20)};
        Shape features = new Shape(2, 20, 5);
        assertArrayEquals(
                expected, block.getOutputShapes(new Shape[] {features, new Shape(2, 3, 5)}));
        assertEquals(
                3,
                block.getOutputShapes(new Shape[] {features, new Shape(2, 3, 5), new Shape(2, 3)})
                        .length);
        assertRefused(
                WHO + "conditioning is missing",
                () -> block.getOutputShapes(new Shape[] {features}));
        assertRefused(
                WHO + "conditioning must be (2, K, 5), got (2, 3, 4)",
                () -> block.getOutputShapes(new Shape[] {features, new Shape(2, 3, 4)}));
        assertRefused(
                WHO + "features must be (B, N, F), got (20, 5)",
                () -> block.getOutputShapes(new Shape[] {new Shape(20, 5), new Shape(2, 3, 5)}));
    }

    private static void refused(
            String message, NDArray x, @Nullable NDArray s, @Nullable NDArray mask) {
        SoftKMeansGrouping block = SoftKMeansGrouping.builder().build();
        assertRefused(
                WHO + message, () -> block.group(new FeatureExtractorOutput(x), s, mask, false));
    }

    @Test
    void refusesOtherInputs(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 2, 9, 5);
        NDArray s = Tensors.normal(manager, 2, 2, 3, 5);
        refused(
                "features must be (B, N, 5), each size at least 1, got (2, 0, 5)",
                manager.zeros(new Shape(2, 0, 5)),
                s,
                null);
        refused("conditioning is missing: the slots' initial values, (B, K, D)", x, null, null);
        refused("conditioning must be (2, K, 5), got (2, 3, 4)", x, s.get(":, :, :4"), null);
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
        assertRefused(
                WHO + "features is missing",
                () ->
                        SoftKMeansGrouping.builder()
                                .build()
                                .forward(new ParameterStore(manager, false), new NDList(), false));
    }

    @Test
    void refusesOptionsOutOfRange() {
        assertRefused(
                WHO + "iterations must be at least 1, got 0",
                () -> SoftKMeansGrouping.builder().optIterations(0).build());
        for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    WHO + "eps must be at least 0 and finite, got " + bad,
                    () -> SoftKMeansGrouping.builder().optEps(bad).build());
        }
        for (double bad : new double[] {0, -1, 1e-30, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    WHO + "temperature must be at least 1e-20 and finite, got " + bad,
                    () -> SoftKMeansGrouping.builder().optTemperature(bad).build());
        }
        assertRefused(
                WHO + "temperature must be at most 1e20, got 2.0E20",
                () -> SoftKMeansGrouping.builder().optTemperature(2e20).build());
        assertThrows(
                IllegalArgumentException.class, () -> SoftKMeansGrouping.builder().optScore(null));
    }

    /** Distances of float16 that are divided by less become infinite. */
    @Test
    void temperaturesOfTheType(NDManager manager) {
        for (double every : new double[] {1e-20, 1e20}) {
            SoftKMeansGrouping block = SoftKMeansGrouping.builder().optTemperature(every).build();
            block.initialize(manager, DataType.FLOAT32, new Shape(2, 9, 5), new Shape(2, 3, 5));
            assertRefused(
                    WHO + "temperature must be from 1e-4 to 1e4 in float16, got " + every,
                    () ->
                            SoftKMeansGrouping.builder()
                                    .optTemperature(every)
                                    .build()
                                    .initialize(
                                            manager,
                                            DataType.FLOAT16,
                                            new Shape(2, 9, 5),
                                            new Shape(2, 3, 5)));
        }
    }
}
