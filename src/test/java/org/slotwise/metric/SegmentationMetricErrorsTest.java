package org.slotwise.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;

/** Every error that {@link SegmentationMetric} promises, to the letter. */
@ExtendWith(OnDevice.class)
class SegmentationMetricErrorsTest {

    private final SegmentationMetric metric = new MeanBestOverlap(Background.LEFT_OUT);
    private NDArray labels;
    private NDArray masks;

    @BeforeEach
    void setUp(NDManager manager) {
        labels = manager.ones(new Shape(2, 9), DataType.INT32);
        masks = manager.ones(new Shape(2, 3, 9));
    }

    private void refused(String message, NDArray truth, NDArray predicted) {
        assertRefused("MeanBestOverlap: " + message, () -> metric.score(truth, predicted));
    }

    @Test
    void missing() {
        assertRefused(
                "SegmentationMetric.score: truth must not be null",
                () -> metric.score(null, masks));
        assertRefused(
                "SegmentationMetric.score: predicted must not be null",
                () -> metric.score(labels, null));
    }

    @Test
    void shapes(NDManager manager) {
        refused(
                "truth must be masks (B, K, N) or (B, K, H, W), or labels (B, N) or (B, H, W), got"
                        + " (9)",
                manager.ones(new Shape(9), DataType.INT32),
                masks);
        refused(
                "predicted must be masks (B, K, N) or (B, K, H, W), or labels (B, N) or (B, H, W),"
                        + " got (2, 3, 2, 3, 3)",
                labels,
                manager.ones(new Shape(2, 3, 2, 3, 3)));
        refused(
                "predicted must be (B, K, H, W), each size at least 1, got (2, 3, 3, 0)",
                labels,
                manager.ones(new Shape(2, 3, 3, 0)));
        refused(
                "truth and predicted must have the same images and pixels, got (2, 2, 6) and (2, 3,"
                        + " 4, 3)",
                manager.ones(new Shape(2, 2, 6), DataType.INT64),
                manager.ones(new Shape(2, 3, 4, 3)));
        refused(
                "predicted must be (B, K, N), each size at least 1, got (2, 0, 9)",
                labels,
                manager.ones(new Shape(2, 0, 9)));
        refused(
                "truth must be (B, N), each size at least 1, got (2, 0)",
                manager.ones(new Shape(2, 0), DataType.INT32),
                masks);
        refused(
                "truth and predicted must have the same images and pixels, got (2, 9) and (2, 3,"
                        + " 8)",
                labels,
                manager.ones(new Shape(2, 3, 8)));
        refused(
                "truth and predicted must have the same images and pixels, got (2, 3, 9) and (1,"
                        + " 9)",
                masks,
                manager.ones(new Shape(1, 9), DataType.INT32));
    }

    @Test
    void types(NDManager manager) {
        String whole = "boolean, uint8, int8, int32 or int64";
        refused(
                "truth (B, N) must be " + whole + ", got float32",
                manager.ones(new Shape(2, 9)),
                masks);
        refused(
                "truth (B, N) must be " + whole + ", got int16",
                FakeArray.ofType(DataType.INT16, labels),
                masks);
        refused(
                "predicted (B, K, N) must be float32, float64, float16, "
                        + whole
                        + ", got bfloat16",
                labels,
                FakeArray.ofType(DataType.BFLOAT16, masks));
        refused(
                "predicted (B, K, H, W) must be float32, float64, float16, "
                        + whole
                        + ", got bfloat16",
                labels,
                FakeArray.ofType(DataType.BFLOAT16, masks.reshape(2, 3, 3, 3)));
    }

    /** What looks like the one and is the other would be scored, wrongly. */
    @Test
    void labelsThatMayBeMasks(NDManager manager) {
        NDArray halves = manager.create(new long[] {0, 0, 1, 1}, new Shape(1, 2, 2));
        NDArray quarters = manager.create(new long[] {0, 1, 2, 3}, new Shape(1, 2, 2));
        NDArray soft = manager.ones(new Shape(1, 2, 2));
        String labels = " must be masks here, got whole numbers above 1; give labels as (B, N) or";
        String whole = " (B, H, W) in a whole type, such as int64";
        refused(
                "truth and predicted (1, 2, 2) of whole numbers 0 and 1 may be masks (B, K, N) or"
                        + " label maps (B, H, W); give masks as boolean or float32, labels as (B,"
                        + " N)",
                halves,
                halves);
        refused("truth (1, 2, 2) in int64" + labels + whole, quarters, soft);
        refused(
                "predicted (1, 2, 2) in float32" + labels + whole,
                halves,
                quarters.toType(DataType.FLOAT32, true));
        refused(
                "predicted (1, 1, 2, 2) in float64" + labels + whole,
                halves,
                quarters.toType(DataType.FLOAT64, true).expandDims(0));
        refused(
                "truth (1, 2, 2) in float32" + labels + whole,
                quarters.toType(DataType.FLOAT32, true),
                halves);
        NDArray row = quarters.toType(DataType.FLOAT32, true).reshape(1, 1, 4);
        refused("truth (1, 1, 4) in float32" + labels + whole, row, halves.reshape(1, 4));
        refused("predicted (1, 1, 4) in float32" + labels + whole, halves.reshape(1, 4), row);
        NDArray votes = quarters.toType(DataType.FLOAT32, true);
        refused("truth (1, 2, 2) in float32" + labels + whole, votes, soft);
        refused("predicted (1, 2, 2) in float32" + labels + whole, soft, votes);
        refused(
                "truth (1, 1, 2, 2) in int64 may be one mask or labels; give a mask as boolean or"
                        + " float32, labels as (B, H, W)",
                halves.expandDims(0),
                soft);
        refused(
                "truth (1, 1, 4) in int64 may be one mask or labels; give a mask as boolean or"
                        + " float32, labels as (B, N)",
                halves.reshape(1, 1, 4),
                soft);
    }

    @Test
    void devices() {
        refused(
                "truth must be on " + masks.getDevice() + " as predicted, got gpu(7)",
                FakeArray.on(Device.gpu(7), labels),
                masks);
    }

    @Test
    void labelsThatAreNoNumbersOfGroups(NDManager manager) {
        NDArray large = labels.duplicate();
        large.set(new NDIndex("1,4"), 1024);
        refused("truth must have labels below 1024, got 1024", large, masks);
        refused("predicted must have labels below 1024, got 1024", labels, large);
        large.subi(1);
        assertEquals(1, metric.score(large, large).values().toDoubleArray()[1], "1023 is a label");
    }

    @Test
    void moreThanCanBeCounted(NDManager manager) {
        long most = 1 << 24;
        Membership.checkPixels("Who", "truth", new Shape(1, most), most); // as many as can be
        NDArray row = manager.zeros(new Shape(1, most + 1), DataType.UINT8);
        refused("truth must have at most 16777216 pixels, got (1, 16777217)", row, row);
        NDArray mask = manager.zeros(new Shape(1, 1, 4097, 4096), DataType.BOOLEAN);
        refused("truth must have at most 16777216 pixels, got (1, 1, 4097, 4096)", mask, mask);
        NDArray map = manager.zeros(new Shape(1, 4097, 4096), DataType.UINT8);
        refused(
                "truth must have at most 16777216 pixels, got (1, 4097, 4096)",
                map,
                map.reshape(1, 4097 * 4096));
    }

    @Test
    void scoresOfImages(NDManager manager) {
        NDArray values = manager.zeros(new Shape(2), DataType.FLOAT64);
        NDArray counted = manager.ones(new Shape(2), DataType.BOOLEAN);
        assertRefused(
                "ImageScores: values must be (B), got (2, 1)",
                () -> new ImageScores(values.reshape(2, 1), counted));
        assertRefused(
                "ImageScores: values must be float64, got float32",
                () -> new ImageScores(values.toType(DataType.FLOAT32, true), counted));
        assertRefused(
                "ImageScores: counted must be (2), got (1)",
                () -> new ImageScores(values, counted.get("0:1")));
        assertRefused(
                "ImageScores: counted must be boolean, got int32",
                () -> new ImageScores(values, counted.toType(DataType.INT32, true)));
    }

    @Test
    void otherMetricsSpeakUnderTheirNames(NDManager manager) {
        NDArray wrong = manager.ones(new Shape(9), DataType.INT32);
        String says =
                ": truth must be masks (B, K, N) or (B, K, H, W), or labels (B, N) or (B, H, W), got"
                        + " (9)";
        assertRefused(
                "AdjustedRandIndex" + says,
                () -> new AdjustedRandIndex(Background.COUNTED).score(wrong, masks));
        assertRefused(
                "MeanIntersectionOverUnion" + says,
                () -> new MeanIntersectionOverUnion(Background.COUNTED).score(wrong, masks));
    }
}
