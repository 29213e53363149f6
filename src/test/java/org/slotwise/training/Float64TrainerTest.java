package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.listener.EvaluatorTrainingListener;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.layer.FeedForward;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class Float64TrainerTest {

    private static DefaultTrainingConfig config() {
        return new DefaultTrainingConfig(new ReconstructionLoss())
                .optDevices(new Device[] {OnDevice.device()})
                .optOptimizer(Adam.builder().optLearningRate(LearningRate.constant(1e-3)).build());
    }

    /** Some steps from the same weights; gives the weights. */
    private static double[] trained(
            NDManager manager, DataType type, Function<Model, Trainer> maker, StateDict start) {
        try (Model model = Model.newInstance("x", OnDevice.device(), "PyTorch")) {
            model.setDataType(type);
            model.setBlock(new FeedForward(4, 8));
            try (Trainer trainer = maker.apply(model)) {
                trainer.initialize(new Shape(2, 4));
                start.loadInto(model.getBlock());
                for (int step = 0; step < 5; step++) {
                    NDArray x = Tensors.normal(manager, step, 2, 4).toType(type, true);
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        NDList y = trainer.forward(new NDList(x));
                        collector.backward(trainer.getLoss().evaluate(new NDList(x), y));
                    }
                    trainer.step();
                }
                return Tensors.doubles(model.getBlock().getParameters().valueAt(0).getArray());
            }
        }
    }

    @Test
    void takesTheStepsOfDjlsTrainer(NDManager manager) {
        FeedForward block = new FeedForward(4, 8);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 4));
        StateDict start = StateDict.of(block);
        double[] djl =
                trained(manager, DataType.FLOAT32, model -> model.newTrainer(config()), start);
        double[] same =
                trained(
                        manager,
                        DataType.FLOAT32,
                        model -> new Float64Trainer(model, config()),
                        start);
        double[] finer =
                trained(
                        manager,
                        DataType.FLOAT64,
                        model -> new Float64Trainer(model, config()),
                        start);
        for (int i = 0; i < djl.length; i++) {
            assertEquals(djl[i], same[i], 1e-7);
            assertEquals(djl[i], finer[i], 1e-4);
        }
    }

    /** If this passes with DJL's own trainer some day, ours is not needed any more. */
    @Test
    void djlsTrainerCannot(NDManager manager) {
        FeedForward block = new FeedForward(4, 8);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 4));
        StateDict start = StateDict.of(block);
        assertThrows(
                IllegalStateException.class,
                () ->
                        trained(
                                manager,
                                DataType.FLOAT64,
                                model -> model.newTrainer(config()),
                                start));
    }

    @Test
    void worksWithListenersAndEasyTrain(NDManager manager) throws Exception {
        NDArray x = Tensors.normal(manager, 1, 8, 4).toType(DataType.FLOAT64, true);
        ArrayDataset data =
                new ArrayDataset.Builder().setData(x).optLabels(x).setSampling(4, false).build();
        GradientClipping clipping = new GradientClipping(1);
        DefaultTrainingConfig config =
                config().addTrainingListeners(
                                new EvaluatorTrainingListener(),
                                clipping,
                                DivergenceCheck.builder(clipping).build());
        try (Model model = Model.newInstance("x", OnDevice.device(), "PyTorch")) {
            model.setDataType(DataType.FLOAT64);
            model.setBlock(new FeedForward(4, 8));
            try (Trainer trainer = new Float64Trainer(model, config)) {
                trainer.setMetrics(new Metrics());
                trainer.initialize(new Shape(4, 4));
                EasyTrain.fit(trainer, 2, data, data);
                assertEquals(4, trainer.getMetrics().getMetric(GradientClipping.METRIC).size());
            }
        }
    }

    @Test
    void refusesStepsWithoutGradients() {
        try (Model model = Model.newInstance("x", OnDevice.device(), "PyTorch")) {
            IllegalStateException e =
                    assertThrows(
                            IllegalStateException.class,
                            () -> new Float64Trainer(model, config()).close());
            assertTrue(e.getMessage().startsWith("Float64Trainer: set the model's block"));
            model.setDataType(DataType.FLOAT64);
            model.setBlock(new FeedForward(4, 8));
            try (Trainer trainer = new Float64Trainer(model, config())) {
                trainer.initialize(new Shape(4, 4));
                e = assertThrows(IllegalStateException.class, trainer::step);
                assertTrue(
                        e.getMessage().startsWith("Float64Trainer: all gradients are zero"),
                        e.getMessage());
            }
            Device[] two = {Device.cpu(), Device.cpu()};
            IllegalArgumentException several =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> new Float64Trainer(model, config().optDevices(two)).close());
            assertEquals("Float64Trainer: there must be one device, got 2", several.getMessage());
        }
    }
}
