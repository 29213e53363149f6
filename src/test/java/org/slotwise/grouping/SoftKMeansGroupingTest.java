package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.SoftKMeansGrouping.Score;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Invariants of {@link SoftKMeansGrouping}, over seeded draws. */
@ExtendWith(OnDevice.class)
class SoftKMeansGroupingTest {

    private static final long B = 3;
    private static final long N = 14;
    private static final long K = 4;
    private static final long F = 5;

    private static SoftKMeansGrouping.Builder of(Score score) {
        return SoftKMeansGrouping.builder().optScore(score);
    }

    private static NDArray features(NDManager manager) {
        return Tensors.normal(manager, 1, B, N, F);
    }

    private static NDArray conditioning(NDManager manager) {
        return Tensors.normal(manager, 2, B, K, F);
    }

    private static PerceptualGroupingOutput run(
            SoftKMeansGrouping.Builder builder, NDArray x, NDArray s, @Nullable NDArray mask) {
        return builder.build().group(new FeatureExtractorOutput(x), s, mask, false);
    }

    private static PerceptualGroupingOutput run(
            SoftKMeansGrouping.Builder builder, NDArray x, NDArray s) {
        return run(builder, x, s, null);
    }

    @ParameterizedTest
    @EnumSource
    void attributionsSumToOne(Score score, NDManager manager) {
        PerceptualGroupingOutput out = run(of(score), features(manager), conditioning(manager));
        NDArray sums = out.attributions().sum(new int[] {1});
        assertClose("sums", manager.ones(new Shape(B, N)), sums, 1e-6);
        assertNull(out.isEmpty());
    }

    @ParameterizedTest
    @EnumSource
    void slotsAndFeaturesHaveNoOrder(Score score, NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput out = run(of(score), x, s);
        PerceptualGroupingOutput slots = run(of(score), x, s.flip(1));
        assertClose("objects", out.objects().flip(1), slots.objects(), 1e-5);
        assertClose("attributions", out.attributions().flip(1), slots.attributions(), 1e-5);
        PerceptualGroupingOutput turned = run(of(score), x.flip(1), s);
        assertClose("objects", out.objects(), turned.objects(), 1e-5);
        assertClose("attributions", out.attributions().flip(2), turned.attributions(), 1e-5);
    }

    @ParameterizedTest
    @EnumSource
    void anImageAloneIsWhatItIsInABatch(Score score, NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray all = run(of(score), x, s).objects();
        for (long b = 0; b < B; b++) {
            NDIndex one = new NDIndex(b + ":" + (b + 1));
            NDArray alone = run(of(score), x.get(one), s.get(one)).objects();
            assertClose("image " + b, all.get(one), alone, 1e-6);
        }
    }

    /** The variant of Slot Attention and this block are one computation. */
    @Test
    void dotProductsAreTheVariantOfSlotAttention(NDManager manager) {
        SlotAttention attention =
                SlotAttention.builder()
                        .setDim((int) F)
                        .setFeatureDim((int) F)
                        .optVariant(SlotAttentionVariant.SOFT_K_MEANS)
                        .build();
        attention.initialize(manager, DataType.FLOAT32, new Shape(1, 1, F), new Shape(1, 1, F));
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput expected =
                attention.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(x),
                        s,
                        false);
        PerceptualGroupingOutput out = run(of(Score.DOT_PRODUCT), x, s);
        assertClose("objects", expected.objects(), out.objects(), 1e-6);
        assertClose("attributions", expected.attributions(), out.attributions(), 1e-6);
    }

    /** From the same centres, iteration after iteration. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void aLowTemperatureIsKMeans(int iterations, NDManager manager) {
        NDArray x = Tensors.normal(manager, 5, DataType.FLOAT64, 2, 60, 3);
        NDArray s = x.get(":, 0:4").duplicate();
        KMeansClustering hard =
                KMeansGrouping.builder()
                        .setSlots(4)
                        .optL2Normalization(false)
                        .optClustering(
                                KMeansOptions.builder().optMaxIter(iterations).optTol(0).build())
                        .build()
                        .cluster(x, s);
        PerceptualGroupingOutput soft =
                run(
                        of(Score.SQUARED_DISTANCE)
                                .optTemperature(1e-7)
                                .optEps(0)
                                .optIterations(iterations),
                        x,
                        s);
        assertClose("centres", hard.centers(), soft.objects(), 1e-9);
        NDArray warm = run(of(Score.SQUARED_DISTANCE).optTemperature(1).optEps(0), x, s).objects();
        assertTrue(Tensors.largest(warm.sub(hard.centers())) > 0.1, "not when warm");
    }

    /** Soft k-means is expectation maximisation of Gaussians of one width. */
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 1, 5})
    void theLikelihoodDoesNotFall(double temperature, NDManager manager) {
        NDArray x = Tensors.normal(manager, 5, DataType.FLOAT64, 2, 60, 3).mul(2);
        NDArray s = Tensors.normal(manager, 6, DataType.FLOAT64, 2, 4, 3);
        double first = likelihood(x, s, temperature);
        double before = first;
        for (int t = 0; t < 12; t++) {
            s =
                    run(
                                    of(Score.SQUARED_DISTANCE)
                                            .optTemperature(temperature)
                                            .optEps(0)
                                            .optIterations(1),
                                    x,
                                    s)
                            .objects();
            double after = likelihood(x, s, temperature);
            assertTrue(after >= before - 1e-9 * Math.abs(before), before + " to " + after);
            before = after;
        }
        assertTrue(before > first + 1, "it rises");
    }

    private static double likelihood(NDArray x, NDArray s, double temperature) {
        NDArray d = x.expandDims(1).sub(s.expandDims(2)).square().sum(new int[] {3}); // (B, K, N)
        NDArray logits = d.div(-temperature);
        NDArray top = logits.max(new int[] {1}, true);
        return logits.sub(top).exp().sum(new int[] {1}, true).log().add(top).sum().getDouble();
    }

    /** What is far from the origin is grouped as precisely as what is near. */
    @Test
    void distancesDoNotChangeWhenAllIsMoved(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        PerceptualGroupingOutput near = run(of(Score.SQUARED_DISTANCE), x, s);
        float far = 4096;
        PerceptualGroupingOutput moved = run(of(Score.SQUARED_DISTANCE), x.add(far), s.add(far));
        // What float32 holds of 4096 + x is off by 2.4e-4.
        assertClose("attributions", near.attributions(), moved.attributions(), 5e-3);
        assertClose("objects", near.objects(), moved.objects().sub(far), 5e-3);
        NDArray a = run(of(Score.DOT_PRODUCT), x, s).attributions();
        NDArray b = run(of(Score.DOT_PRODUCT), x.add(1), s.add(1)).attributions();
        assertTrue(Tensors.largest(a.sub(b)) > 0.01, "dot products do");
    }

    @Test
    void everyOptionChangesTheResult(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        List<NDArray> results =
                List.of(
                                SoftKMeansGrouping.builder(),
                                of(Score.DOT_PRODUCT),
                                of(Score.SQUARED_DISTANCE).optTemperature(2),
                                of(Score.DOT_PRODUCT).optTemperature(2),
                                SoftKMeansGrouping.builder().optIterations(4),
                                SoftKMeansGrouping.builder().optEps(0.05))
                        .stream()
                        .map(builder -> run(builder, x, s).objects())
                        .toList();
        for (int i = 0; i < results.size(); i++) {
            for (int j = 0; j < i; j++) {
                double difference = Tensors.largest(results.get(i).sub(results.get(j)));
                assertTrue(difference > 1e-4, i + " and " + j + " differ by " + difference);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aMaskedSlotTakesNoPart(Score score, NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray mask = manager.create(new boolean[] {false, true, false, true});
        mask = mask.reshape(1, K).repeat(0, B);
        PerceptualGroupingOutput out = run(of(score), x, s, mask);
        NDArray others = s.get(":, 0::2");
        PerceptualGroupingOutput without = run(of(score), x, others);
        assertClose("objects", without.objects(), out.objects().get(":, 0::2"), 1e-5);
        NDArray none = out.attributions().get(":, 1");
        assertSame("attributions", none.zerosLike(), none);
        NDArray mean = x.mean(new int[] {1});
        assertClose("the mean", mean, out.objects().get(":, 3"), 1e-5);
        assertSame("empty", mask, out.isEmpty());
        // All of them: no NaN.
        NDArray all = mask.logicalOr(mask.logicalNot());
        NDArray objects = run(of(score), x, s, all).objects();
        assertClose("the mean", mean, objects.get(":, 0"), 1e-5);
    }

    @ParameterizedTest
    @EnumSource
    void aSlotThatNothingIsLikeIsNotNaN(Score score, NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        s.set(new NDIndex(":, 2"), score == Score.DOT_PRODUCT ? 0f : 1e3f);
        NDArray mask = manager.create(new boolean[] {false, false, true, false});
        mask = mask.reshape(1, K).repeat(0, B);
        for (double eps : new double[] {0, 1e-8}) {
            PerceptualGroupingOutput out = run(of(score).optEps(eps), x, s, mask);
            NDArray expected = x.mean(new int[] {1});
            if (score == Score.DOT_PRODUCT && eps == 0) {
                expected = expected.zerosLike();
            }
            assertClose("slot", expected, out.objects().get(":, 2"), 1e-5);
            assertFalse(out.objects().isNaN().any().getBoolean(), "NaN");
        }
    }

    @ParameterizedTest
    @EnumSource
    void nanStaysInItsImage(Score score, NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray expected = run(of(score), x, s).objects();
        x.set(new NDIndex("1, 3, 2"), Float.NaN);
        NDArray out = run(of(score), x, s).objects();
        assertTrue(out.get(1).isNaN().any().getBoolean());
        for (int b : new int[] {0, 2}) {
            assertSame("image " + b, expected.get(b), out.get(b));
        }
    }

    @Test
    void listsAreToldApartByName(NDManager manager) {
        NDArray x = features(manager);
        NDArray s = conditioning(manager);
        NDArray expected = run(SoftKMeansGrouping.builder(), x, s).objects();
        SoftKMeansGrouping block = SoftKMeansGrouping.builder().build();
        s.setName("conditioning");
        NDList named = new NDList(s);
        named.addAll(new FeatureExtractorOutput(x, manager.zeros(new Shape(N, 2))).toNDList());
        NDList out = block.forward(new ParameterStore(manager, false), named, false);
        assertSame("objects", expected, out.get("objects"));
    }
}
