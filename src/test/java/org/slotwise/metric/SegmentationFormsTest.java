package org.slotwise.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

/** What a segmentation is taken for, where its form could be mistaken for another. */
@ExtendWith(OnDevice.class)
class SegmentationFormsTest {

    private final SegmentationMetric metric = new AdjustedRandIndex(Background.COUNTED);

    private double of(NDArray truth, NDArray predicted) {
        return metric.score(truth, predicted).values().getDouble(0);
    }

    /** Labels (1, 4) of two groups of two pixels. */
    private static NDArray two(NDManager manager) {
        return manager.create(new int[] {0, 0, 1, 1}, new Shape(1, 4));
    }

    /** Scores such as a network's, of as many groups on both sides. */
    @Test
    void softMasksOfOneShape(NDManager manager) {
        Shape shape = new Shape(1, 2, 4);
        NDArray truth = manager.create(new float[] {1, 1, 0, 0, 0, 0, 1, 1}, shape);
        NDArray soft = manager.create(new float[] {.6f, .7f, .2f, .1f, .4f, .3f, .8f, .9f}, shape);
        NDArray large = manager.create(new float[] {7, 2, 0, 0, -1.5f, 0, 3, 5.5f}, shape);
        // None is above the next whole number.
        NDArray below = manager.create(new float[] {2, 2, 0, 0, 0, 0, 1.7f, 1.8f}, shape);
        assertEquals(1, of(truth, truth));
        assertEquals(1, of(truth, soft));
        assertEquals(1, of(soft, truth));
        assertEquals(1, of(truth, large));
        assertEquals(1, of(truth, below));
        assertEquals(1, of(below, truth.toType(DataType.BOOLEAN, false)));
        assertEquals(
                1,
                of(truth.toType(DataType.BOOLEAN, false), truth.toType(DataType.BOOLEAN, false)));
    }

    /** One of them tells that both are label maps. */
    @Test
    void aMapOfTwoGroupsBesideOneOfMore(NDManager manager) {
        NDArray halves = manager.create(new int[] {0, 0, 1, 1}, new Shape(1, 2, 2));
        NDArray quarters = manager.create(new int[] {0, 0, 1, 2}, new Shape(1, 2, 2));
        double expected = of(halves.reshape(1, 4), quarters.reshape(1, 4));
        assertEquals(0.57, expected, 0.005);
        assertEquals(expected, of(halves, quarters));
        assertEquals(expected, of(quarters, halves));
    }

    /** Votes of whole numbers are masks where they are as many as groups. */
    @Test
    void wholeNumbersInAFloatingType(NDManager manager) {
        NDArray votes =
                manager.create(
                        new float[] {3, 3, 0, 1, 0, 0, 2, 2, 0, 0, 1, 0}, new Shape(1, 3, 4));
        assertEquals(1, of(two(manager), votes));
        assertEquals(1, of(two(manager), votes.reshape(1, 3, 2, 2)));
        assertEquals(1, of(votes, two(manager)));
    }

    @Test
    void logitsMayBeNegative(NDManager manager) {
        Shape shape = new Shape(1, 2, 4);
        NDArray below = manager.create(new float[] {-1, -2, -9, -8, -3, -4, -2, -2}, shape);
        assertEquals(1, of(two(manager), below));
        // As much below zero as above: of a group all the same.
        NDArray around = manager.create(new float[] {3, 2, -1, -2, -3, -2, 1, 2}, shape);
        assertEquals(1, of(two(manager), around));
    }

    /** The second group is larger by less than float32 tells. */
    @Test
    void masksOfFloat64AreComparedAsTheyAre(NDManager manager) {
        double more = 0.5 + 1e-12;
        NDArray masks =
                manager.create(
                        new double[] {more, more, 0.5, 0.5, 0.5, 0.5, more, more},
                        new Shape(1, 2, 4));
        assertEquals(1, of(two(manager), masks));
    }

    @Test
    void anAxisOfChannelsIsLeftAway(NDManager manager) {
        NDArray masks = manager.create(new float[] {1, 1, 0, 0, 0, 0, 1, 1}, new Shape(1, 2, 2, 2));
        NDArray shifted =
                manager.create(new float[] {1, 1, 1, 0, 0, 0, 0, 1}, new Shape(1, 2, 2, 2));
        NDArray expected = metric.score(masks, shifted).values();
        NDArray a = masks.expandDims(2);
        NDArray b = shifted.expandDims(2);
        assertEquals(1, of(a, a));
        assertSame("both", expected, metric.score(a, b).values());
        assertSame("truth", expected, metric.score(a, shifted).values());
        assertSame("predicted", expected, metric.score(masks, b).values());
    }

    /** A mask of an object, and labels of whether it is there. */
    @Test
    void booleans(NDManager manager) {
        NDArray labels = two(manager).toType(DataType.BOOLEAN, false);
        assertEquals(1, of(labels, two(manager)));
        assertEquals(1, of(two(manager), labels));
        // One mask: pixels of it, and pixels of none, which are left out.
        NDArray mask = labels.reshape(1, 1, 4);
        NDArray foundWhole = manager.create(new int[] {0, 1, 2, 2}, new Shape(1, 4));
        assertEquals(1, of(mask, foundWhole));
        assertEquals(1, of(mask.reshape(1, 1, 2, 2), foundWhole));
    }

    /** A label of one pixel is no mask. */
    @Test
    void imagesOfOnePixel(NDManager manager) {
        NDArray label = manager.create(new int[] {3}, new Shape(1, 1));
        NDArray masks = manager.create(new float[] {0, 1}, new Shape(1, 2, 1));
        assertEquals(1, of(label, masks));
        assertEquals(1, of(masks, label));
    }
}
