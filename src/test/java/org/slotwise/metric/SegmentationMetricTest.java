package org.slotwise.metric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SegmentationMetricTest {

    static final SegmentationMetric ARI = new AdjustedRandIndex(Background.COUNTED);
    static final SegmentationMetric FG_ARI = new AdjustedRandIndex(Background.LEFT_OUT);
    static final SegmentationMetric MBO = new MeanBestOverlap(Background.LEFT_OUT);
    static final SegmentationMetric MBO_ALL = new MeanBestOverlap(Background.COUNTED);
    static final SegmentationMetric MIOU = new MeanIntersectionOverUnion(Background.LEFT_OUT);
    static final SegmentationMetric MIOU_ALL = new MeanIntersectionOverUnion(Background.COUNTED);

    static Stream<SegmentationMetric> metrics() {
        return Stream.of(ARI, FG_ARI, MBO, MBO_ALL, MIOU, MIOU_ALL);
    }

    /** Labels of one image. */
    private static NDArray labels(NDManager manager, int... labels) {
        return manager.create(labels, new Shape(1, labels.length));
    }

    private static NDArray random(NDManager manager, int seed, int groups, int images, int pixels) {
        Random random = new Random(seed);
        int[] labels = random.ints((long) images * pixels, 0, groups).toArray();
        return manager.create(labels, new Shape(images, pixels));
    }

    /** One-hot masks (B, groups, N) of labels (B, N). */
    private static NDArray masks(NDArray labels, int groups) {
        return labels.toType(DataType.INT64, false).oneHot(groups).transpose(0, 2, 1);
    }

    private static double of(SegmentationMetric metric, NDArray truth, NDArray predicted) {
        double[] values = metric.score(truth, predicted).values().toDoubleArray();
        assertEquals(1, values.length);
        return values[0];
    }

    @Test
    void namesAreThoseOfTheField() {
        assertEquals(
                List.of("ARI", "FG-ARI", "mBO", "mBO-all", "mIoU", "mIoU-all"),
                metrics().map(SegmentationMetric::name).toList());
        assertEquals("FG-ARI", FG_ARI.toString());
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void agreesWithScikitLearnAndSciPy(SegmentationMetric metric, NDManager manager)
            throws IOException {
        try (InputStream in = getClass().getResourceAsStream("/metric/segmentations.json")) {
            for (JsonElement element :
                    JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                            .getAsJsonArray()) {
                JsonObject example = element.getAsJsonObject();
                NDArray truth = labels(manager, ints(example.getAsJsonArray("truth")));
                NDArray predicted = labels(manager, ints(example.getAsJsonArray("predicted")));
                JsonElement expected = example.getAsJsonObject("scores").get(metric.name());
                ImageScores scores = metric.score(truth, predicted);
                assertEquals(!expected.isJsonNull(), scores.counted().toBooleanArray()[0]);
                assertEquals(
                        expected.isJsonNull() ? Double.NaN : expected.getAsDouble(),
                        scores.values().toDoubleArray()[0],
                        1e-12,
                        () -> metric + " of " + example);
            }
        }
    }

    private static int[] ints(JsonArray array) {
        return array.asList().stream().mapToInt(JsonElement::getAsInt).toArray();
    }

    /** The examples in scikit-learn's documentation of adjusted_rand_score. */
    @Test
    void publishedExamples(NDManager manager) {
        assertEquals(1, of(ARI, labels(manager, 0, 0, 1, 1), labels(manager, 0, 0, 1, 1)));
        assertEquals(1, of(ARI, labels(manager, 0, 0, 1, 1), labels(manager, 1, 1, 0, 0)));
        NDArray split = labels(manager, 0, 0, 1, 2);
        NDArray whole = labels(manager, 0, 0, 1, 1);
        assertEquals(0.57, of(ARI, split, whole), 0.005);
        assertEquals(0.57, of(ARI, whole, split), 0.005);
        assertEquals(0, of(ARI, labels(manager, 0, 0, 0, 0), labels(manager, 0, 1, 2, 3)));
        assertEquals(
                -0.5, of(ARI, labels(manager, 0, 0, 1, 1), labels(manager, 0, 1, 0, 1)), 1e-15);
    }

    @Test
    void fullAgreementInSpecialCasesIsOne(NDManager manager) {
        NDArray oneGroup = labels(manager, 1, 1, 1);
        assertEquals(1, of(ARI, oneGroup, labels(manager, 0, 0, 0)));
        assertEquals(1, of(FG_ARI, oneGroup, labels(manager, 2, 2, 2)));
        assertEquals(0, of(FG_ARI, oneGroup, labels(manager, 0, 1, 1)));
        // One object that is found whole, with a background that is not.
        assertEquals(1, of(FG_ARI, labels(manager, 0, 0, 1, 1), labels(manager, 3, 2, 0, 0)));
        // Each pixel a group of its own.
        NDArray own = labels(manager, 1, 2, 3);
        assertEquals(1, of(ARI, own, labels(manager, 2, 0, 1)));
        assertEquals(1, of(ARI, labels(manager, 0), labels(manager, 0)));
    }

    /** One group of all pixels is a fraction 0 / 0, or what rounding makes of it. */
    @Test
    void oneGroupOfAllPixelsIsExactlyOne(NDManager manager) {
        for (int pixels : new int[] {35 * 35, 13778, 128 * 128, 99991}) {
            NDArray zeros = manager.zeros(new Shape(1, pixels), DataType.INT32);
            assertEquals(1, of(ARI, zeros, zeros));
        }
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void numbersOfGroupsDoNotMatter(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 5, 6, 50);
        NDArray predicted = random(manager, 2, 4, 6, 50);
        ImageScores scores = metric.score(truth, predicted);
        int[] to = {3, 0, 2, 1};
        int[] renamed = predicted.toIntArray();
        for (int i = 0; i < renamed.length; i++) {
            renamed[i] = to[renamed[i]];
        }
        assertClose(
                "renamed prediction",
                scores.values(),
                metric.score(truth, manager.create(renamed, new Shape(6, 50))).values(),
                1e-12);
        int[] objects = {0, 4, 1, 3, 2}; // the background stays 0
        int[] truths = truth.toIntArray();
        for (int i = 0; i < truths.length; i++) {
            truths[i] = objects[truths[i]];
        }
        assertClose(
                "renamed truth",
                scores.values(),
                metric.score(manager.create(truths, new Shape(6, 50)), predicted).values(),
                1e-12);
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void theOrderOfPixelsDoesNotMatter(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 5, 3, 40);
        NDArray predicted = random(manager, 2, 4, 3, 40);
        assertClose(
                "pixels reversed",
                metric.score(truth, predicted).values(),
                metric.score(truth.flip(1), predicted.flip(1)).values(),
                1e-12);
    }

    @Test
    void adjustedRandIndexIsSymmetric(NDManager manager) {
        NDArray a = random(manager, 1, 5, 8, 30);
        NDArray b = random(manager, 2, 3, 8, 30);
        assertClose("ARI", ARI.score(a, b).values(), ARI.score(b, a).values(), 1e-12);
    }

    @Test
    void splittingAndMergingCost(NDManager manager) {
        NDArray truth = labels(manager, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2);
        NDArray split = labels(manager, 0, 0, 0, 0, 1, 1, 3, 3, 2, 2, 2, 2);
        NDArray merged = labels(manager, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
        metrics().forEach(metric -> assertEquals(1, of(metric, truth, truth), metric.name()));
        metrics()
                .forEach(
                        metric -> {
                            assertTrue(of(metric, truth, split) < 0.95, metric.name());
                            assertTrue(of(metric, truth, merged) < 0.8, metric.name());
                        });
        // A split object keeps half: (1/2 + 1) / 2. Merged objects share one group: by best overlap
        // both have half of it, by matching one has half and the other nothing.
        assertEquals(0.75, of(MBO, truth, split));
        assertEquals(0.75, of(MIOU, truth, split));
        assertEquals(0.5, of(MBO, truth, merged));
        assertEquals(0.25, of(MIOU, truth, merged));
        assertEquals(0, of(FG_ARI, truth, merged));
    }

    @Test
    void theBackgroundIsLeftOutOrNot(NDManager manager) {
        // The objects are perfect, the background is split.
        NDArray truth = labels(manager, 0, 0, 0, 0, 1, 1, 2, 2);
        NDArray predicted = labels(manager, 3, 3, 4, 4, 0, 0, 1, 1);
        assertEquals(1, of(FG_ARI, truth, predicted));
        assertEquals(1, of(MBO, truth, predicted));
        assertEquals(1, of(MIOU, truth, predicted));
        assertTrue(of(ARI, truth, predicted) < 0.8);
        assertEquals((0.5 + 1 + 1) / 3, of(MBO_ALL, truth, predicted), 1e-15);
        assertEquals((0.5 + 1 + 1) / 3, of(MIOU_ALL, truth, predicted), 1e-15);
        // What spills into the background costs overlap, but no foreground ARI.
        NDArray spilt = labels(manager, 0, 0, 1, 1, 0, 0, 1, 1);
        assertEquals(1, of(FG_ARI, truth, spilt));
        assertEquals(0.5, of(MBO, truth, spilt));
        assertEquals(0.5, of(MIOU, truth, spilt));
    }

    @Test
    void aBackgroundTakesNoPartnerAway(NDManager manager) {
        // The only group lies mostly on the background; the object is matched with it nevertheless.
        NDArray truth = labels(manager, 0, 0, 0, 1);
        NDArray predicted = labels(manager, 0, 0, 0, 0);
        assertEquals(0.25, of(MIOU, truth, predicted));
        assertEquals(0.75 / 2, of(MIOU_ALL, truth, predicted));
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void allFormsOfInputAgree(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 4, 5, 30);
        NDArray predicted = random(manager, 2, 3, 5, 30);
        NDArray expected = metric.score(truth, predicted).values();
        NDArray oneHot = masks(predicted, 3);
        // Soft masks with the same winners, over two more groups that never win.
        NDArray soft =
                masks(predicted, 5).mul(0.4f).add(Tensors.normal(manager, 3, 5, 5, 30).mul(0.02f));
        for (DataType type :
                new DataType[] {
                    DataType.FLOAT64, DataType.FLOAT16, DataType.UINT8, DataType.BOOLEAN
                }) {
            NDArray t = masks(truth, 4).toType(type, false);
            NDArray p = oneHot.toType(type, false);
            assertSame("masks in " + type, expected, metric.score(t, p).values());
        }
        assertSame("one-hot", expected, metric.score(masks(truth, 4), oneHot).values());
        assertSame("soft", expected, metric.score(truth, soft).values());
        assertSame("soft", expected, metric.score(truth, soft.softmax(1)).values());
        assertSame("spare true masks", expected, metric.score(masks(truth, 9), predicted).values());
        for (DataType type : new DataType[] {DataType.UINT8, DataType.INT8, DataType.INT64}) {
            assertSame(
                    "labels in " + type,
                    expected,
                    metric.score(truth.toType(type, false), predicted.toType(type, false))
                            .values());
        }
    }

    /** Pictures of labels and of masks, whatever stands beside them. */
    @ParameterizedTest
    @MethodSource("metrics")
    void rowsOfPixelsAndPicturesAgree(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 4, 5, 30);
        NDArray predicted = random(manager, 2, 3, 5, 30);
        NDArray expected = metric.score(truth, predicted).values();
        Shape map = new Shape(5, 5, 6);
        List<NDArray> truths = new ArrayList<>(List.of(truth));
        List<NDArray> predictions = new ArrayList<>(List.of(predicted));
        for (DataType type : new DataType[] {DataType.UINT8, DataType.INT32, DataType.INT64}) {
            truths.add(truth.toType(type, false).reshape(map));
            predictions.add(predicted.toType(type, false).reshape(map));
        }
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.INT64}) {
            truths.add(masks(truth, 4).toType(type, false).reshape(5, 4, 5, 6));
            predictions.add(masks(predicted, 3).toType(type, false).reshape(5, 3, 5, 6));
            truths.add(masks(truth, 4).toType(type, false));
            predictions.add(masks(predicted, 3).toType(type, false));
        }
        for (NDArray t : truths) {
            for (NDArray p : predictions) {
                assertSame(
                        t.getShape() + " and " + p.getShape(),
                        expected,
                        metric.score(t, p).values());
            }
        }
        NDArray soft = masks(predicted, 3).add(Tensors.normal(manager, 3, 5, 3, 30).mul(0.02f));
        assertSame(
                "a decoder's masks",
                expected,
                metric.score(truth, soft.softmax(1).reshape(5, 3, 5, 6)).values());
    }

    /** The quarters of a square, numbered otherwise; some pixels belong to nothing. */
    @Test
    void labelMapsMayHoldVoid(NDManager manager) {
        long[] t = new long[64];
        long[] p = new long[64];
        for (int i = 0; i < 64; i++) {
            int quarter = i / 8 / 4 * 2 + i % 8 / 4;
            t[i] = quarter;
            p[i] = (quarter + 1L) % 4;
        }
        Shape map = new Shape(1, 8, 8);
        t[9] = -1;
        p[9] = 3;
        metrics()
                .forEach(
                        metric ->
                                assertEquals(
                                        1,
                                        of(metric, manager.create(t, map), manager.create(p, map)),
                                        metric.name()));
    }

    @Test
    void amongEqualsTheFirstGroupWins(NDManager manager) {
        NDArray tie = manager.create(new float[] {1, 0, 1, 1}, new Shape(1, 2, 2));
        assertEquals(
                of(MBO_ALL, labels(manager, 0, 1), labels(manager, 0, 1)),
                of(MBO_ALL, labels(manager, 0, 1), tie));
        NDArray other = manager.create(new float[] {1, 1, 1, 0}, new Shape(1, 2, 2));
        assertEquals(
                of(MBO_ALL, labels(manager, 0, 1), labels(manager, 0, 0)),
                of(MBO_ALL, labels(manager, 0, 1), other));
    }

    /** Pixels with all-zero masks or negative labels, on either side. */
    @Test
    void pixelsWithoutGroup(NDManager manager) {
        NDArray truth = labels(manager, 0, 0, 1, 1, 2, 2);
        NDArray partial = labels(manager, 0, -1, 1, 1, 2, -7);
        NDArray masks = masks(truth, 3);
        NDArray keep = manager.create(new float[] {1, 0, 1, 1, 1, 0}, new Shape(1, 1, 6));
        metrics()
                .forEach(
                        metric -> {
                            // True pixels without a group are nobody's.
                            assertEquals(1, of(metric, partial, truth), metric.name());
                            assertEquals(1, of(metric, masks.mul(keep), truth), metric.name());
                            assertEquals(
                                    of(metric, truth, partial),
                                    of(metric, truth, masks.mul(keep)),
                                    metric.name());
                        });
        // Objects whose pixels no group has are not found whole.
        assertEquals(1, of(ARI, truth, partial));
        assertEquals(0.75, of(MBO, truth, partial));
        assertEquals(2.0 / 3, of(MIOU_ALL, truth, partial), 1e-15);
        NDArray none = labels(manager, -1, -1, -1, -1, -1, -1);
        assertEquals(0, of(MBO, truth, none));
        assertEquals(Double.NaN, of(ARI, truth, none));
        assertFalse(ARI.score(none, truth).counted().toBooleanArray()[0]);
        assertFalse(MIOU_ALL.score(none, truth).counted().toBooleanArray()[0]);
    }

    @Test
    void imagesWithoutObjectsAreNotCounted(NDManager manager) {
        NDArray truth = manager.create(new int[] {0, 0, 0, 0, 1, 2}, new Shape(2, 3));
        NDArray predicted = manager.create(new int[] {0, 1, 2, 0, 1, 1}, new Shape(2, 3));
        for (SegmentationMetric metric : List.of(FG_ARI, MBO, MIOU)) {
            ImageScores scores = metric.score(truth, predicted);
            assertArrayEquals(new boolean[] {false, true}, scores.counted().toBooleanArray());
            double[] values = scores.values().toDoubleArray();
            assertEquals(Double.NaN, values[0]);
            assertEquals(values[1], scores.mean().getDouble());
            assertFalse(Double.isNaN(values[1]));
            ImageScores nothing = metric.score(truth.get("0:1"), predicted.get("0:1"));
            assertEquals(Double.NaN, nothing.mean().getDouble());
        }
        // A truth of one mask is all background.
        ImageScores one = MBO.score(manager.ones(new Shape(2, 1, 3)), predicted);
        assertArrayEquals(new boolean[] {false, false}, one.counted().toBooleanArray());
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void nanSpoilsItsOwnImageOnly(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 4, 3, 20);
        NDArray predicted = masks(random(manager, 2, 3, 3, 20), 3);
        double[] clean = metric.score(truth, predicted).values().toDoubleArray();
        NDArray spoilt = predicted.duplicate();
        spoilt.set(new NDIndex("1,2,7"), Float.NaN);
        ImageScores scores = metric.score(truth, spoilt);
        double[] values = scores.values().toDoubleArray();
        assertArrayEquals(new double[] {clean[0], Double.NaN, clean[2]}, values);
        // It is not mistaken for an image without objects.
        assertArrayEquals(new boolean[] {true, true, true}, scores.counted().toBooleanArray());
        assertEquals(Double.NaN, scores.mean().getDouble());
        NDArray badTruth = masks(truth, 4);
        badTruth.set(new NDIndex("0,3,7"), Float.NaN);
        scores = metric.score(badTruth, predicted);
        assertArrayEquals(
                new double[] {Double.NaN, clean[1], clean[2]}, scores.values().toDoubleArray());
        assertTrue(scores.counted().toBooleanArray()[0]);
    }

    @ParameterizedTest
    @MethodSource("metrics")
    void anImageAloneScoresAsInABatch(SegmentationMetric metric, NDManager manager) {
        NDArray truth = random(manager, 1, 4, 3, 20);
        NDArray predicted = random(manager, 2, 3, 3, 20);
        double[] together = metric.score(truth, predicted).values().toDoubleArray();
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            String image = i + ":" + (i + 1);
            double alone = of(metric, truth.get(image), predicted.get(image));
            assertEquals(together[i], alone, 1e-15);
            sum += alone;
        }
        assertEquals(sum / 3, metric.score(truth, predicted).mean().getDouble(), 1e-15, "mean");
    }

    @ParameterizedTest
    @MethodSource("metrics")
    @SuppressWarnings("try") // the collector works by being open
    void leavesNothingButTheScores(SegmentationMetric metric, NDManager manager) {
        try (NDManager forTruth = manager.newSubManager();
                NDManager forPrediction = manager.newSubManager()) {
            NDArray truth = random(forTruth, 1, 4, 3, 20);
            NDArray predicted = Tensors.normal(forPrediction, 2, 3, 4, 20);
            predicted.setRequiresGradient(true);
            int before = forPrediction.getManagedArrays().size();
            // In training too, where operations on masks would record a graph.
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                ImageScores scores = metric.score(truth, predicted);
                assertEquals(DataType.FLOAT64, scores.values().getDataType());
                assertFalse(scores.values().hasGradient());
                assertEquals(1, forTruth.getManagedArrays().size());
                assertEquals(before + 2, forPrediction.getManagedArrays().size());
                scores.mean();
                assertEquals(before + 3, forPrediction.getManagedArrays().size());
                scores.close();
                assertEquals(before + 1, forPrediction.getManagedArrays().size());
            }
        }
    }
}
