package org.slotwise.virtualgpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.translate.Batchifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;

/** DJL's trainer over two devices, of which one is the GPU that is not there. */
@EnabledIfSystemProperty(named = VirtualGpu.PROPERTY, matches = "true")
@ExtendWith(OnDevice.class)
class SeveralDevicesTest {

    private static final Device[] TWO = {Device.gpu(0), Device.cpu()};

    private static DefaultTrainingConfig config(Optimizer optimizer, TrainingListener... more) {
        return new DefaultTrainingConfig(new ReconstructionLoss())
                .optOptimizer(optimizer)
                .optDevices(TWO)
                .addTrainingListeners(more);
    }

    private static Model line() {
        Model model = Model.newInstance("line", Device.gpu(0), "PyTorch");
        model.setBlock(Linear.builder().setUnits(1).optBias(false).build());
        return model;
    }

    /** Half of the batch goes to each device. */
    private static void backward(Trainer trainer) {
        NDManager manager = trainer.getManager().newSubManager();
        NDArray x = Tensors.normal(manager, 1, 8, 3);
        NDArray y = Tensors.normal(manager, 2, 8, 1);
        try (Batch batch =
                new Batch(
                        manager,
                        new NDList(x),
                        new NDList(y),
                        8,
                        Batchifier.STACK,
                        Batchifier.STACK,
                        0,
                        1)) {
            EasyTrain.trainBatch(trainer, batch);
        }
    }

    @Test
    void adamRefuses() {
        try (Model model = line();
                Adam adam = Adam.builder().build();
                Trainer trainer = model.newTrainer(config(adam))) {
            trainer.initialize(new Shape(8, 3));
            backward(trainer);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, trainer::step);
            assertTrue(e.getMessage().startsWith("Adam: parameter "), e.getMessage());
            assertTrue(
                    e.getMessage()
                            .endsWith(
                                    "; a trainer must have one device: optDevices(new Device[]"
                                            + " {device})"),
                    e.getMessage());
        }
    }

    /** Before any parameter is changed. */
    @Test
    void clippingRefuses() {
        try (Model model = line();
                Adam adam = Adam.builder().build();
                Trainer trainer = model.newTrainer(config(adam, new GradientClipping(1)))) {
            trainer.initialize(new Shape(8, 3));
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> backward(trainer));
            assertTrue(
                    e.getMessage()
                            .startsWith("GradientClipping: a trainer with one device is needed"),
                    e.getMessage());
            assertEquals(0, adam.step());
        }
    }
}
