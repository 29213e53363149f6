package org.slotwise.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.IndexLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class ReconstructionLossTest {

    private final ReconstructionLoss loss = new ReconstructionLoss();

    private double of(NDArray label, NDArray prediction) {
        return Tensors.doubles(loss.evaluate(new NDList(label), new NDList(prediction)))[0];
    }

    @Test
    void isTheMeanOfTheSquares(NDManager manager) {
        NDArray label = manager.create(new float[] {1, 2, 3, 4}, new Shape(1, 2, 2));
        NDArray prediction = manager.create(new float[] {1, 4, 3, 1}, new Shape(1, 2, 2));
        assertEquals((4 + 9) / 4.0, of(label, prediction));
        assertEquals(0, of(label, label));
        assertEquals(
                new Shape(), loss.evaluate(new NDList(label), new NDList(prediction)).getShape());
    }

    @Test
    void float64AndFloat16(NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT64, DataType.FLOAT16}) {
            NDArray label = manager.zeros(new Shape(2, 3), type);
            NDArray prediction = manager.ones(new Shape(2, 3), type);
            assertEquals(1, of(label, prediction));
            assertEquals(
                    type, loss.evaluate(new NDList(label), new NDList(prediction)).getDataType());
        }
    }

    @Test
    void gradientSurvivesGarbageCollection(NDManager manager) {
        NDArray label = Tensors.normal(manager, 1, 2, 3, 5);
        NDArray prediction = Tensors.normal(manager, 2, 2, 3, 5);
        NDArray expected = prediction.sub(label).mul(2 / 30f);
        prediction.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray l = loss.evaluate(new NDList(label), new NDList(prediction));
            Garbage.collect();
            collector.backward(l);
        }
        assertClose("gradient", expected, prediction.getGradient(), 1e-6);
    }

    @Test
    void nanStaysVisible(NDManager manager) {
        NDArray label = manager.zeros(new Shape(2));
        NDArray prediction = manager.create(new float[] {0, Float.NaN});
        assertEquals(Double.NaN, of(label, prediction));
    }

    @Test
    void indexLossPicks(NDManager manager) {
        NDArray image = manager.zeros(new Shape(2, 3));
        NDArray reconstruction = manager.ones(new Shape(2, 3));
        NDArray masks = manager.ones(new Shape(2, 7));
        NDArray l =
                new IndexLoss(loss, 0)
                        .evaluate(new NDList(image, masks), new NDList(reconstruction, masks));
        assertEquals(1, l.getFloat());
    }

    @Test
    void accumulatesAsTrainersAsk(NDManager manager) {
        ReconstructionLoss named = new ReconstructionLoss("mse");
        assertEquals("mse", named.getName());
        assertEquals("ReconstructionLoss", loss.getName());
        NDArray zeros = manager.zeros(new Shape(2));
        named.addAccumulator("key");
        named.updateAccumulator("key", new NDList(zeros), new NDList(zeros.add(1)));
        named.updateAccumulator("key", new NDList(zeros), new NDList(zeros.add(2)));
        assertEquals(2.5f, named.getAccumulator("key"));
    }

    @Test
    void leavesNothingButTheLoss(NDManager manager) {
        try (NDManager labels = manager.newSubManager();
                NDManager predictions = manager.newSubManager()) {
            NDArray label = labels.zeros(new Shape(2));
            NDArray prediction = predictions.ones(new Shape(2));
            loss.evaluate(new NDList(label), new NDList(prediction));
            assertEquals(1, labels.getManagedArrays().size());
            assertEquals(2, predictions.getManagedArrays().size());
        }
    }

    @Test
    void refuses(NDManager manager) {
        NDArray x = manager.zeros(new Shape(2, 3));
        String expected = "ReconstructionLoss: ";
        assertRefused(
                expected + "the label must be (2, 3) as the prediction, and not empty, got (3, 2)",
                () -> of(manager.zeros(new Shape(3, 2)), x));
        assertRefused(
                expected + "the label must be (2, 3) as the prediction, and not empty, got (1, 3)",
                () -> of(manager.zeros(new Shape(1, 3)), x));
        assertRefused(
                expected + "the label must be (0, 3) as the prediction, and not empty, got (0, 3)",
                () -> of(manager.zeros(new Shape(0, 3)), manager.zeros(new Shape(0, 3))));
        assertRefused(
                expected + "the label must be float32 as the prediction, got uint8",
                () -> of(manager.zeros(new Shape(2, 3), DataType.UINT8), x));
        assertRefused(
                expected + "the prediction must be float32, float64 or float16, got int64",
                () -> of(x, manager.zeros(new Shape(2, 3), DataType.INT64)));
        assertRefused(
                expected
                        + "the label must be on "
                        + x.getDevice()
                        + " as the prediction, got gpu(7)",
                () -> of(FakeArray.on(Device.gpu(7), x), x));
        assertRefused(
                expected + "expected one array of predictions, got 2; see IndexLoss",
                () -> loss.evaluate(new NDList(x), new NDList(x, x)));
        assertRefused(
                expected + "expected one array of labels, got 0; see IndexLoss",
                () -> loss.evaluate(new NDList(), new NDList(x)));
    }

    /** As a model gives its outputs, and a data set of scenes its labels. */
    @Test
    void takesOutputsByNameAndTheLabelsOfScenes(NDManager manager) {
        NDArray made = manager.create(new float[] {1, 2});
        made.setName("reconstruction");
        NDArray masks = manager.create(new float[] {9});
        masks.setName("masks");
        NDList predictions = new NDList(masks, made);
        NDArray images = manager.create(new float[] {1, 4});
        NDArray labels = manager.create(new long[] {7, 7, 7});
        ReconstructionLoss loss = new ReconstructionLoss();
        assertEquals(2, loss.evaluate(new NDList(images, labels), predictions).getFloat());
        NDArray target = manager.create(new float[] {1, 2});
        target.setName("target");
        predictions.add(target);
        assertEquals(0, loss.evaluate(new NDList(images, labels), predictions).getFloat());
        assertThrows(
                IllegalArgumentException.class,
                () -> loss.evaluate(new NDList(images, labels), new NDList(masks)));
    }
}
