package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.position.PositionGrid;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

@ExtendWith(OnDevice.class)
class PlacedSlotAttentionTest {

    private static PlacedSlotAttention.Builder builder() {
        return PlacedSlotAttention.builder().setDim(4).setFeatureDim(5);
    }

    private static FeatureExtractorOutput features(NDManager manager, DataType type) {
        return new FeatureExtractorOutput(
                normal(manager, 1, type, 2, 12, 5), PositionGrid.of(manager, type, 3, 4));
    }

    private static NDArray start(NDManager manager, DataType type) {
        return normal(manager, 2, type, 2, 3, 4);
    }

    private static PlacedSlotAttention made(NDManager manager, PlacedSlotAttention block) {
        block.initialize(
                manager,
                DataType.FLOAT64,
                new Shape(2, 12, 5),
                new Shape(12, 2),
                new Shape(2, 3, 4));
        return block;
    }

    /** Without a guess the first iteration is Slot Attention's, and without weight all are. */
    @Test
    void withoutWeightItIsSlotAttention(NDManager manager) {
        PlacedSlotAttention block = made(manager, builder().optPlaceWeight(0).build());
        SlotAttention plain = SlotAttention.builder().setDim(4).setFeatureDim(5).build();
        plain.initialize(manager, DataType.FLOAT64, new Shape(2, 12, 5), new Shape(2, 3, 4));
        var own = ReferenceCase.parameters(block);
        ReferenceCase.parameters(plain).forEach((name, to) -> own.get(name).copyTo(to));
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
        NDArray s = start(manager, DataType.FLOAT64);
        PerceptualGroupingOutput expected = plain.group(store, x, s, false);
        PerceptualGroupingOutput out = block.group(store, x, s, false);
        assertClose("objects", expected.objects(), out.objects(), 1e-9);
        assertClose("attributions", expected.attributions(), out.attributions(), 1e-9);
    }

    /** Features that are all alike: places alone decide, as the equations say. */
    @Test
    void placesDecideWhereFeaturesDoNot(NDManager manager) {
        PlacedSlotAttention block =
                made(manager, builder().optIterations(1).optPlaceWeight(0.5).build());
        FeatureExtractorOutput x =
                new FeatureExtractorOutput(
                        manager.zeros(new Shape(1, 12, 5), DataType.FLOAT64),
                        PositionGrid.of(manager, DataType.FLOAT64, 3, 4));
        NDArray s = manager.zeros(new Shape(1, 3, 4), DataType.FLOAT64);
        double[] guess = new double[36];
        for (int i = 0; i < 12; i++) {
            guess[(i % 4 == 0 ? 1 : i % 4 == 3 ? 2 : 0) * 12 + i] = 1;
        }
        double[] a =
                doubles(
                        block.refine(
                                        new ParameterStore(manager, false),
                                        x,
                                        s,
                                        manager.create(guess, new Shape(1, 3, 12)),
                                        false)
                                .attributions());
        double[] places = doubles(x.positions());
        for (int i = 0; i < 12; i++) {
            double[] density = {1, gaussian(places, i, 0), gaussian(places, i, 1)};
            double sum = 0;
            for (double d : density) {
                sum += Math.sqrt(d);
            }
            for (int k = 0; k < 3; k++) {
                assertEquals(Math.sqrt(density[k]) / sum, a[k * 12 + i], 1e-6);
            }
        }
    }

    /** Of a column of three: rows 0, 1/2 and 1. */
    private static double gaussian(double[] places, int i, double column) {
        double yy = 1.0 / 6 + 4e-4;
        double xx = 4e-4;
        double y = places[2 * i] - 0.5;
        double x = places[2 * i + 1] - column;
        return Math.exp(-(y * y / yy + x * x / xx) / 2) / (2 * Math.PI * Math.sqrt(yy * xx));
    }

    @Test
    void theGuessAndTheWeightCount(NDManager manager) {
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
        NDArray s = start(manager, DataType.FLOAT64);
        PlacedSlotAttention block = made(manager, builder().build());
        NDArray one = block.group(store, x, s, false).attributions();
        NDArray guess = normal(manager, 9, DataType.FLOAT64, 2, 3, 12).softmax(1);
        NDArray other = block.refine(store, x, s, guess, false).attributions();
        assertTrue(one.sub(other).abs().max().getDouble() > 1e-3);
        assertClose("sums", one.sum(new int[] {1}), one.sum(new int[] {1}).onesLike(), 1e-9);
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(
                        () -> builder().optIterations(2).build(),
                        (m, type) -> {
                            NDList in = features(m, type).toNDList();
                            NDArray s = start(m, type);
                            s.setName("conditioning");
                            in.add(s);
                            return in;
                        })
                .check(manager);
    }

    @Test
    void refusesWhatDoesNotFit(NDManager manager) {
        String who = "PlacedSlotAttention: ";
        for (double bad : new double[] {Double.NaN, -0.1, 10.1}) {
            assertRefused(
                    who + "placeWeight must be in [0, 10], got " + bad,
                    () -> builder().optPlaceWeight(bad).build());
        }
        builder().optPlaceWeight(0).build();
        builder().optPlaceWeight(10).build();
        assertRefused(
                who + "iterations must be at least 1, got 0",
                () -> builder().optIterations(0).build());
        assertRefused(
                who + "implicitDifferentiation must be false",
                () -> builder().optImplicitDifferentiation(true).build());
        PlacedSlotAttention block = made(manager, builder().build());
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
        NDArray s = start(manager, DataType.FLOAT64);
        assertRefused(
                who + "positions is missing",
                () -> block.group(store, new FeatureExtractorOutput(x.features()), s, false));
        FeatureExtractorOutput other =
                new FeatureExtractorOutput(
                        x.features(), normal(manager, 4, DataType.FLOAT64, 12, 3));
        assertRefused(
                who + "positions must be (12, 2), got (12, 3)",
                () -> block.group(store, other, s, false));
        FeatureExtractorOutput narrow =
                new FeatureExtractorOutput(
                        x.features(), PositionGrid.of(manager, DataType.FLOAT32, 3, 4));
        assertRefused(
                who + "positions must be float64 as features, got float32",
                () -> block.group(store, narrow, s, false));
        assertRefused(
                who + "guess must be float64 as features, got float32",
                () -> block.refine(store, x, s, manager.zeros(new Shape(2, 3, 12)), false));
        assertRefused(
                who + "slot_mask must be (2, 3), got (2, 2)",
                () ->
                        block.refine(
                                store,
                                x,
                                s,
                                null,
                                manager.zeros(new Shape(2, 2), DataType.BOOLEAN),
                                false));
        assertRefused(
                who + "guess must be (2, 3, 12), got (2, 3, 11)",
                () ->
                        block.refine(
                                store,
                                x,
                                s,
                                manager.zeros(new Shape(2, 3, 11), DataType.FLOAT64),
                                false));
    }

    /** From the second iteration on, what a slot had counts by how much it was. */
    @Test
    void sharesCountFromTheSecondIterationOn(NDManager manager) {
        FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
        NDArray guess = normal(manager, 9, DataType.FLOAT64, 2, 3, 12).mul(3).softmax(1);
        PerceptualGroupingOutput one =
                refined(manager, 1, x, start(manager, DataType.FLOAT64), guess);
        PerceptualGroupingOutput two =
                refined(manager, 2, x, start(manager, DataType.FLOAT64), guess);
        double[] equal =
                doubles(refined(manager, 1, x, one.objects(), one.attributions()).attributions());
        double[] before = doubles(one.attributions());
        double[] a = doubles(two.attributions());
        for (int image = 0; image < 2; image++) {
            double[] share = new double[3];
            for (int k = 0; k < 3; k++) {
                for (int i = 0; i < 12; i++) {
                    share[k] += before[(image * 3 + k) * 12 + i] / 12;
                }
            }
            for (int i = 0; i < 12; i++) {
                double sum = 0;
                for (int k = 0; k < 3; k++) {
                    sum += equal[(image * 3 + k) * 12 + i] * Math.sqrt(share[k]);
                }
                for (int k = 0; k < 3; k++) {
                    int at = (image * 3 + k) * 12 + i;
                    assertEquals(equal[at] * Math.sqrt(share[k]) / sum, a[at], 1e-9);
                }
            }
        }
    }

    private static PerceptualGroupingOutput refined(
            NDManager manager, int times, FeatureExtractorOutput x, NDArray start, NDArray guess) {
        manager.getEngine().setRandomSeed(3);
        PlacedSlotAttention block = made(manager, builder().optIterations(times).build());
        return block.refine(new ParameterStore(manager, false), x, start, guess, false);
    }

    /** The others share as if it were not there, and no gradient knows of it. */
    @Test
    void aMaskedSlotReceivesNothing(NDManager manager) {
        for (double eps : new double[] {1e-8, 0}) {
            ParameterStore store = new ParameterStore(manager, false);
            FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
            NDArray s = start(manager, DataType.FLOAT64);
            NDArray guess = normal(manager, 9, DataType.FLOAT64, 2, 3, 12).softmax(1);
            PlacedSlotAttention block = made(manager, builder().optEps(eps).build());
            NDArray mask =
                    manager.create(new boolean[] {false, false, true, true, true, true})
                            .reshape(2, 3);
            PerceptualGroupingOutput out = block.refine(store, x, s, guess, mask, false);
            assertClose(
                    "mask",
                    mask.toType(DataType.INT32, true),
                    out.isEmpty().toType(DataType.INT32, true),
                    0);
            PerceptualGroupingOutput two =
                    block.refine(store, x, s.get(":, :2"), guess.get(":, :2"), false);
            NDArray a = out.attributions();
            assertClose("objects", two.objects().get(0), out.objects().get("0, :2"), 1e-9);
            assertClose("shares", two.attributions().get(0), a.get("0, :2"), 1e-9);
            assertEquals(0, a.get("0, 2").sum().getDouble());
            assertEquals(0, a.get(1).sum().getDouble(), "all are masked");
            assertTrue(Double.isFinite(out.objects().sum().getDouble()));
            NDArray none = manager.zeros(new Shape(2, 3), DataType.BOOLEAN);
            assertClose(
                    "no mask",
                    block.refine(store, x, s, guess, false).objects(),
                    block.refine(store, x, s, guess, none, false).objects(),
                    1e-12);
            s.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                NDArray objects = block.refine(store, x, s, guess, mask, true).objects();
                collector.backward(objects.get("0, :2").sum());
            }
            double[] gradient = doubles(s.getGradient());
            for (int i = 0; i < gradient.length; i++) {
                assertTrue(Double.isFinite(gradient[i]));
                assertEquals(i < 8, gradient[i] != 0, "of " + i);
            }
        }
    }

    @Test
    void theFeedForwardFollowsEachUpdate(NDManager manager) {
        FeatureExtractorOutput x = features(manager, DataType.FLOAT64);
        NDArray s = start(manager, DataType.FLOAT64);
        NDArray[] objects = new NDArray[2];
        for (int fed = 0; fed < 2; fed++) {
            PlacedSlotAttention.Builder builder = builder().optIterations(1);
            if (fed == 1) {
                builder.optFeedForward(new LambdaBlock(in -> new NDList(in.head().add(in.head()))));
            }
            manager.getEngine().setRandomSeed(3);
            PlacedSlotAttention block = made(manager, builder.build());
            objects[fed] = block.group(new ParameterStore(manager, false), x, s, false).objects();
        }
        assertClose("objects", objects[0].add(objects[0]), objects[1], 1e-12);
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        byte[] saved = BlockContract.save(made(manager, builder().build()));
        String message = refusal(saved, builder().optPlaceWeight(1).build(), manager);
        assertEquals(
                "PlacedSlotAttention: the block is PlacedSlotAttention(dim=4, featureDim=5,"
                        + " placeWeight=1.0, feedForward=false), the parameters are of"
                        + " PlacedSlotAttention(dim=4, featureDim=5, placeWeight=0.5,"
                        + " feedForward=false)",
                message);
    }
}
