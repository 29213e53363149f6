package org.slotwise.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.evaluator.IndexEvaluator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class SegmentationEvaluatorTest {

    private final SegmentationEvaluator evaluator =
            new SegmentationEvaluator(new MeanBestOverlap(Background.LEFT_OUT));
    private NDList truths;
    private NDList predictions;

    /** Three images: one without objects, one with half an object found, one found whole. */
    @BeforeEach
    void setUp(NDManager manager) {
        truths = new NDList(manager.create(new int[] {0, 0, 0, 0, 1, 1, 0, 1, 1}, new Shape(3, 3)));
        predictions =
                new NDList(manager.create(new int[] {0, 1, 1, 0, 1, 2, 0, 1, 1}, new Shape(3, 3)));
    }

    private NDList image(NDList list, int image) {
        return new NDList(list.head().get(image + ":" + (image + 1)));
    }

    @Test
    void isNamedAsTheMetric() {
        assertEquals("mBO", evaluator.getName());
        assertEquals(
                "attention mBO",
                new SegmentationEvaluator("attention mBO", new MeanBestOverlap(Background.LEFT_OUT))
                        .getName());
    }

    @Test
    void evaluatesTheMean() {
        assertEquals(0.75, evaluator.evaluate(truths, predictions).getDouble());
    }

    @Test
    void eachImageCountsOnceWhateverTheBatches() {
        evaluator.addAccumulator("a");
        evaluator.addAccumulator("b");
        assertEquals(Float.NaN, evaluator.getAccumulator("a"));
        evaluator.updateAccumulators(new String[] {"a", "b"}, truths, predictions);
        assertEquals(0.75f, evaluator.getAccumulator("a"));
        evaluator.updateAccumulator("a", image(truths, 2), image(predictions, 2));
        evaluator.updateAccumulator("a", image(truths, 0), image(predictions, 0));
        assertEquals((0.5f + 1 + 1) / 3, evaluator.getAccumulator("a"), 1e-6f);
        assertEquals(0.75f, evaluator.getAccumulator("b"));
        evaluator.resetAccumulator("a");
        assertEquals(Float.NaN, evaluator.getAccumulator("a"));
        assertEquals(0.75f, evaluator.getAccumulator("b"));
    }

    @Test
    void takesTheMasksOfADecoderAsTheyCome(NDManager manager) {
        NDArray masks =
                manager.create(
                        new float[] {.9f, .9f, .2f, .2f, .1f, .1f, .8f, .8f},
                        new Shape(1, 2, 2, 2));
        NDArray labels = manager.create(new long[] {0, 0, 1, 1}, new Shape(1, 4));
        assertEquals(
                1,
                new SegmentationEvaluator(new AdjustedRandIndex(Background.COUNTED))
                        .evaluate(new NDList(labels), new NDList(masks))
                        .getDouble());
    }

    @Test
    void nanIsShown(NDManager manager) {
        NDArray masks = manager.full(new Shape(3, 2, 3), Float.NaN);
        evaluator.addAccumulator("a");
        evaluator.updateAccumulator("a", truths, new NDList(masks));
        assertEquals(Float.NaN, evaluator.getAccumulator("a"));
    }

    @Test
    void indexEvaluatorPicks(NDManager manager) {
        NDArray image = manager.zeros(new Shape(3, 3));
        IndexEvaluator picking = new IndexEvaluator(evaluator, 2, 1);
        picking.addAccumulator("a");
        picking.updateAccumulator(
                "a",
                new NDList(image, truths.head()),
                new NDList(image, image, predictions.head()));
        assertEquals(0.75f, picking.getAccumulator("a"));
    }

    /** Data sets give more than the truth, models more than masks. */
    @Test
    void findsLabelsAndMasksAmongOthers(NDManager manager) {
        NDArray depths = manager.ones(new Shape(3, 3));
        NDArray masks = predictions.head().oneHot(3).transpose(0, 2, 1);
        masks.setName("masks");
        assertEquals(
                0.75,
                evaluator
                        .evaluate(new NDList(depths, truths.head()), new NDList(depths, masks))
                        .getDouble());
        assertRefused(
                "SegmentationEvaluator: expected one array of predictions, got 2; see"
                        + " IndexEvaluator",
                () -> evaluator.evaluate(truths, new NDList(depths, predictions.head())));
    }

    @Test
    void leavesNothing(NDManager manager) {
        evaluator.addAccumulator("a");
        int before = manager.getManagedArrays().size();
        evaluator.updateAccumulator("a", truths, predictions);
        assertEquals(before, manager.getManagedArrays().size());
        evaluator.evaluate(truths, predictions);
        assertEquals(before + 1, manager.getManagedArrays().size());
    }

    @Test
    void refuses() {
        assertRefused(
                "SegmentationEvaluator: there is no accumulator c",
                () -> evaluator.getAccumulator("c"));
        assertRefused(
                "SegmentationEvaluator: expected one array of labels, got 2; see IndexEvaluator",
                () -> evaluator.evaluate(new NDList(truths.head(), truths.head()), predictions));
        assertRefused(
                "SegmentationEvaluator: expected one array of predictions, got 0; see"
                        + " IndexEvaluator",
                () -> evaluator.evaluate(truths, new NDList()));
    }
}
