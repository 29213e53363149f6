package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.testing.OnDevice;

/** What {@link KMeansGrouping} promises, apart from being right ({@link KMeansReferenceTest}). */
@ExtendWith(OnDevice.class)
class KMeansGroupingTest {

    private static final int K = 4;

    private static KMeansOptions.Builder options() {
        return KMeansOptions.builder().optSeed(7);
    }

    private static KMeansGrouping block(KMeansOptions.Builder options) {
        return KMeansGrouping.builder().setSlots(K).optClustering(options.build()).build();
    }

    private static KMeansGrouping raw(int slots, KMeansOptions.Builder options) {
        return KMeansGrouping.builder()
                .setSlots(slots)
                .optL2Normalization(false)
                .optClustering(options.build())
                .build();
    }

    private static NDArray features(NDManager manager) {
        return normal(manager, 1, 3, 50, 6);
    }

    private static PerceptualGroupingOutput group(
            KMeansGrouping block, NDArray features, NDArray centers) {
        return block.group(null, new FeatureExtractorOutput(features), centers, false);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void centersAreTheMeansOfTheirFeatures(DataType type, NDManager manager) {
        NDArray features = normal(manager, 2, type, 3, 50, 6);
        PerceptualGroupingOutput out = group(block(options().optTol(0)), features, null);
        assertNull(out.isEmpty());
        assertEquals(new Shape(3, K, 6), out.objects().getShape());
        assertEquals(new Shape(3, K, 50), out.featureAttributions().getShape());
        assertEquals(type, out.objects().getDataType());
        assertEquals(type, out.featureAttributions().getDataType());

        NDArray a = out.featureAttributions().toType(DataType.FLOAT64, true);
        assertTrue(Arrays.stream(doubles(a)).allMatch(v -> v == 0 || v == 1));
        assertSame(
                "attributions of a feature", a.sum(new int[] {1}).onesLike(), a.sum(new int[] {1}));
        NDArray x = features.toType(DataType.FLOAT64, true).normalize(2, 2);
        NDArray means = a.matMul(x).div(a.sum(new int[] {2}, true));
        assertClose(
                "objects",
                means,
                out.objects().toType(DataType.FLOAT64, true),
                type == DataType.FLOAT16 ? 1e-3 : 1e-6);
    }

    @Test
    void tellsInertiaAndLabels(NDManager manager) {
        NDArray features = features(manager);
        KMeansClustering found = raw(K, options()).cluster(features, null);
        NDArray distance =
                features.expandDims(1)
                        .sub(found.centers().expandDims(2))
                        .square()
                        .sum(new int[] {3});
        assertSame("labels", distance.argMin(1), found.labels());
        NDArray inertia = distance.min(new int[] {1}).sum(new int[] {1});
        assertClose("inertia", inertia.toType(DataType.FLOAT64, true), found.inertia(), 1e-6);
        assertEquals(DataType.INT64, found.iterations().getDataType());
        assertTrue(Arrays.stream(doubles(found.iterations())).allMatch(t -> t >= 1 && t < 300));
    }

    @Test
    void orderOfFeaturesDoesNotMatter(NDManager manager) {
        NDArray features = features(manager);
        NDArray centers = features.get(":, 0:4").duplicate();
        NDArray order = normal(manager, 3, 50).argSort();
        KMeansGrouping block = raw(K, options());
        PerceptualGroupingOutput a = group(block, features, centers);
        PerceptualGroupingOutput b =
                group(block, features.get(new NDIndex(":, {}", order)), centers);
        assertClose("objects", a.objects(), b.objects(), 1e-5);
        assertSame(
                "attributions",
                a.featureAttributions().get(new NDIndex(":, :, {}", order)),
                b.featureAttributions());
    }

    @Test
    void orderOfGivenCentersIsTheOrderOfSlots(NDManager manager) {
        NDArray features = features(manager);
        NDArray centers = features.get(":, 0:4").duplicate();
        NDArray order = manager.create(new long[] {2, 0, 3, 1});
        KMeansGrouping block = raw(K, options());
        PerceptualGroupingOutput a = group(block, features, centers);
        PerceptualGroupingOutput b =
                group(block, features, centers.get(new NDIndex(":, {}", order)));
        assertClose("objects", a.objects().get(new NDIndex(":, {}", order)), b.objects(), 1e-5);
        assertSame(
                "attributions",
                a.featureAttributions().get(new NDIndex(":, {}", order)),
                b.featureAttributions());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anImageAloneIsAnImageInABatch(boolean given, NDManager manager) {
        NDArray features = features(manager);
        NDArray centers = given ? features.get(":, 0:4").duplicate() : null;
        KMeansGrouping block = raw(K, options());
        KMeansClustering all = block.cluster(features, centers);
        for (int b = 0; b < 3; b++) {
            NDIndex image = new NDIndex("{}:{}", b, b + 1);
            KMeansClustering one =
                    block.cluster(features.get(image), given ? centers.get(image) : null);
            assertClose("centers", all.centers().get(image), one.centers(), 1e-5);
            assertSame("labels", all.labels().get(image), one.labels());
            assertSame("iterations", all.iterations().get(image), one.iterations());
        }
    }

    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void aSeedRepeats(KMeansOptions.Init init, NDManager manager) {
        NDArray features = features(manager);
        KMeansOptions.Builder options = options().optInit(init).optNInit(1);
        KMeansGrouping block = block(options);
        NDArray first = block.cluster(features, null).labels();
        manager.randomNormal(new Shape(5));
        assertSame("again", first, block.cluster(features, null).labels());
        assertNotEquals(first, block(options.optSeed(8)).cluster(features, null).labels());
    }

    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void withoutASeedTheEngineDraws(KMeansOptions.Init init, NDManager manager) {
        NDArray features = features(manager);
        KMeansGrouping block = block(KMeansOptions.builder().optInit(init).optNInit(1));
        Engine engine = Engine.getEngine("PyTorch");
        engine.setRandomSeed(3);
        NDArray first = block.cluster(features, null).labels();
        NDArray second = block.cluster(features, null).labels();
        engine.setRandomSeed(3);
        assertSame("same state", first, block.cluster(features, null).labels());
        assertNotEquals(first, second);
    }

    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void moreStartsAreNeverWorse(KMeansOptions.Init init, NDManager manager) {
        NDArray features = normal(manager, 4, 6, 60, 5);
        double[] before = null;
        boolean better = false;
        for (int starts = 1; starts <= 12; starts++) {
            KMeansGrouping block = raw(6, options().optInit(init).optNInit(starts));
            double[] inertia = doubles(block.cluster(features, null).inertia());
            for (int b = 0; before != null && b < inertia.length; b++) {
                assertTrue(inertia[b] <= before[b] * (1 + 1e-6), starts + " starts, image " + b);
                better |= inertia[b] < before[b] * 0.999;
            }
            before = inertia;
        }
        assertTrue(better);
    }

    @Test
    void everyOptionMatters(NDManager manager) {
        NDArray features = features(manager);
        KMeansClustering usual = block(options()).cluster(features, null);
        double[] inertia = doubles(usual.inertia());
        double[] iterations = doubles(usual.iterations());

        KMeansOptions.Builder one = options().optNInit(1);
        double[] oneStart = doubles(block(one).cluster(features, null).inertia());
        assertTrue(sum(oneStart) > sum(inertia) * 1.001, "nInit");
        one.optInit(KMeansOptions.Init.RANDOM);
        double[] random = doubles(block(one).cluster(features, null).inertia());
        assertNotEquals(sum(oneStart), sum(random), "init");
        double[] two = doubles(block(options().optMaxIter(2)).cluster(features, null).iterations());
        assertTrue(Arrays.stream(two).max().orElseThrow() == 2, "maxIter");
        assertTrue(Arrays.stream(iterations).max().orElseThrow() > 2);
        KMeansOptions.Builder coarse = options().optTol(1);
        assertTrue(
                sum(doubles(block(coarse).cluster(features, null).iterations())) < sum(iterations),
                "tol");
        assertTrue(
                sum(doubles(raw(K, options()).cluster(features, null).inertia()))
                        > 2 * sum(inertia),
                "l2Normalization");
        assertEquals(
                new Shape(3, 5, 6), raw(5, options()).cluster(features, null).centers().getShape());
    }

    private static double sum(double[] values) {
        return Arrays.stream(values).sum();
    }

    @Test
    void leavesOnlyItsOutputs(NDManager manager) {
        NDArray features = features(manager);
        NDArray copy = features.duplicate();
        NDArray centers = features.get(":, 0:4").duplicate();
        KMeansGrouping block = block(options());
        int before = manager.getManagedArrays().size();
        group(block, features, centers);
        group(block, features, null);
        assertEquals(before + 4, manager.getManagedArrays().size());
        block.cluster(features, null);
        assertEquals(before + 8, manager.getManagedArrays().size());
        NDArray broken = copy.duplicate();
        broken.set(new NDIndex("1, 2, 3"), Float.NaN);
        int with = manager.getManagedArrays().size();
        assertThrows(IllegalArgumentException.class, () -> block.cluster(broken, null));
        assertEquals(with, manager.getManagedArrays().size());
        assertSame("the caller's features", copy, features);
    }

    @Test
    void recordsNoGraph(NDManager manager) {
        NDArray features = features(manager);
        features.setRequiresGradient(true);
        KMeansGrouping block = block(options());
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            PerceptualGroupingOutput out =
                    block.group(null, new FeatureExtractorOutput(features), null, true);
            for (NDArray array : out.toNDList()) {
                NDArray sum = array.sum();
                assertThrows(EngineException.class, () -> collector.backward(sum));
            }
            collector.backward(features.sum());
        }
    }

    @Test
    void worksInAnotherThread(NDManager manager) {
        NDArray features = features(manager);
        KMeansGrouping block = block(options());
        NDArray here = block.cluster(features, null).centers();
        NDArray there =
                CompletableFuture.supplyAsync(() -> block.cluster(features, null).centers()).join();
        assertSame("centers", here, there);
    }

    @Test
    void oneSlotIsTheMean(NDManager manager) {
        NDArray features = features(manager);
        PerceptualGroupingOutput out = group(raw(1, options()), features, null);
        assertClose("object", features.mean(new int[] {1}, true), out.objects(), 1e-5);
        assertSame("attributions", manager.ones(new Shape(3, 1, 50)), out.featureAttributions());
    }

    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void asManySlotsAsFeaturesGivesEachItsOwn(KMeansOptions.Init init, NDManager manager) {
        NDArray features = normal(manager, 5, 2, 6, 3);
        KMeansClustering found =
                raw(6, options().optInit(init).optNInit(3)).cluster(features, null);
        assertClose(
                "inertia", manager.zeros(new Shape(2), DataType.FLOAT64), found.inertia(), 1e-9);
        NDArray one = normal(manager, 6, 1, 1, 3);
        assertClose("one", one, raw(1, options()).cluster(one, null).centers(), 1e-6);
    }

    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void imagesWithoutContentAreHarmless(KMeansOptions.Init init, NDManager manager) {
        NDArray features = features(manager);
        features.set(new NDIndex("0"), 0f);
        features.set(new NDIndex("1"), 0.25f);
        KMeansGrouping block = raw(K, options().optInit(init));
        KMeansClustering found = block.cluster(features, null);
        assertClose("black", manager.zeros(new Shape(K, 6)), found.centers().get(0), 0);
        assertClose("plain", manager.full(new Shape(K, 6), 0.25f), found.centers().get(1), 1e-6);
        assertSame("labels", manager.zeros(new Shape(50), DataType.INT64), found.labels().get(0));
        KMeansClustering alone = block.cluster(features.get("2:3"), null);
        assertClose("the other image", alone.centers(), found.centers().get("2:3"), 1e-5);
    }

    @ParameterizedTest
    @ValueSource(floats = {0x1p-100f, 0x1p-40f, 0x1p20f, 0x1p60f, 0x1p120f})
    void magnitudeDoesNotMatter(float scale, NDManager manager) {
        NDArray features = features(manager);
        KMeansClustering usual = raw(K, options()).cluster(features, null);
        NDArray scaled = features.mul(scale);
        KMeansClustering found = raw(K, options()).cluster(scaled, null);
        assertSame("labels", usual.labels(), found.labels());
        assertClose("centers", usual.centers().mul(scale), found.centers(), 1e-5);
        NDArray centers = scaled.get(":, 0:4").duplicate();
        assertSame(
                "labels from given centres",
                raw(K, options()).cluster(features, features.get(":, 0:4").duplicate()).labels(),
                raw(K, options()).cluster(scaled, centers).labels());
        if (scale > 1) {
            assertClose(
                    "normalised",
                    block(options()).cluster(features, null).centers(),
                    block(options()).cluster(scaled, null).centers(),
                    1e-5);
        }
    }
}
