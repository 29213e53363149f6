package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2dTranspose;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Blocks, models and what they call. */
@EngineBehaviour
class BlockBehaviourTest {

    private static Linear linear(NDManager manager, int units, int in) {
        Linear linear = Linear.builder().setUnits(units).build();
        linear.initialize(manager, DataType.FLOAT32, new Shape(1, in));
        return linear;
    }

    private static NDArray array(Block block, String name) {
        return block.getParameters().get(name).getArray();
    }

    @Test
    void loadingChecksNamesOnly(NDManager manager) throws Exception {
        byte[] saved = BlockContract.save(linear(manager, 3, 5));
        Linear wider = Linear.builder().setUnits(7).build();
        wider.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
        assertEquals(new Shape(3, 5), array(wider, "weight").getShape());
    }

    /** PyTorch draws both from the uniform distribution on (-1/16, 1/16). */
    @Test
    void startingValuesAreGaussian(NDManager manager) {
        Linear linear = linear(manager, 256, 256);
        NDArray weight = array(linear, "weight");
        double variance = weight.square().mean().getFloat();
        assertEquals(2 / 256.0, variance, 0.05 * 2 / 256);
        double largest = Tensors.largest(weight);
        assertTrue(largest > 3.5 * Math.sqrt(variance), "largest " + largest);
        assertEquals(0, Tensors.largest(array(linear, "bias")));
    }

    @Test
    void aTrainerUnfreezesWhatWasLoaded(@TempDir Path folder) throws Exception {
        for (boolean load : new boolean[] {false, true}) {
            try (Model model = Model.newInstance("linear", OnDevice.device(), "PyTorch")) {
                model.setBlock(
                        new SequentialBlock()
                                .add(Linear.builder().setUnits(3).build())
                                .add(BatchNorm.builder().build()));
                Block block = model.getBlock();
                if (load) {
                    model.load(folder, "linear");
                } else {
                    block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 2));
                    model.setProperty("Epoch", "1");
                    model.save(folder, "linear");
                }
                block.freezeParameters(true);
                try (Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()))) {
                    for (Parameter p : trainer.getModel().getBlock().getParameters().values()) {
                        boolean running = p.getName().startsWith("running");
                        assertEquals(load && !running, p.requiresGradient(), p.getName());
                    }
                }
            }
        }
    }

    @Test
    void anUnknownDeviceIsANullPointer(NDManager manager) {
        Parameter weight = linear(manager, 3, 2).getParameters().get("weight");
        ParameterStore store = new ParameterStore(manager, false);
        Device unknown = Device.gpu(99);
        assertThrows(NullPointerException.class, () -> store.getValue(weight, unknown, false));
    }

    @Test
    void transposedConvolutionThrows(NDManager manager) {
        Conv2dTranspose block =
                Conv2dTranspose.builder().setFilters(2).setKernelShape(new Shape(3, 3)).build();
        NDArray image = manager.ones(new Shape(1, 2, 4, 4));
        block.initialize(manager, DataType.FLOAT32, image.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        assertThrows(
                UnsupportedOperationException.class,
                () -> block.forward(store, new NDList(image), false));
    }

    /** An array "a.b" becomes the entry "b" of a dictionary, which the network did not ask for. */
    @Test
    void namesWithADotMeanSomethingToTorchScript(NDManager manager) throws Exception {
        try (Model model = Model.newInstance("tiny", OnDevice.device(), "PyTorch")) {
            model.load(Path.of("src/test/resources/backbone"), "tiny");
            ParameterStore store = new ParameterStore(manager, false);
            NDArray image = manager.ones(new Shape(1, 3, 16, 24));
            for (String name : new String[] {null, "image", "image.pixels"}) {
                image.setName(name);
                NDList in = new NDList(image);
                if ("image.pixels".equals(name)) {
                    assertThrows(
                            EngineException.class,
                            () -> model.getBlock().forward(store, in, false));
                } else {
                    assertFalse(model.getBlock().forward(store, in, false).isEmpty());
                }
            }
        }
    }
}
