package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class HistoryListenerTest {

    /** Keeps what is written. */
    private static final class Kept implements ScalarLog {
        final List<Long> steps = new ArrayList<>();
        final List<Map<String, Double>> values = new ArrayList<>();

        @Override
        public void write(long step, Map<String, ? extends Number> given) {
            Map<String, Double> copy = new LinkedHashMap<>();
            given.forEach((name, value) -> copy.put(name, value.doubleValue()));
            steps.add(step);
            values.add(copy);
        }

        @Override
        public void close() {}
    }

    /** Two epochs of four steps; the model is not trained, so that losses stay. */
    private static void train(
            NDManager manager, @Nullable Metrics metrics, TrainingListener... listeners)
            throws Exception {
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(new ReconstructionLoss("loss"))
                        .optOptimizer(
                                Adam.builder().optLearningRate(LearningRate.constant(0)).build())
                        .optDevices(new Device[] {OnDevice.device()})
                        .addTrainingListeners(listeners);
        NDArray x = Tensors.normal(manager, 1, 8, 3);
        NDArray y = Tensors.normal(manager, 2, 8, 1);
        ArrayDataset data =
                new ArrayDataset.Builder().setData(x).optLabels(y).setSampling(2, false).build();
        try (Model model = Model.newInstance("line", OnDevice.device(), "PyTorch")) {
            model.setBlock(Linear.builder().setUnits(1).build());
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.setMetrics(metrics);
                trainer.initialize(new Shape(2, 3));
                EasyTrain.fit(trainer, 2, data, data);
            }
        }
    }

    @Test
    void writesEpochs(NDManager manager) throws Exception {
        Kept kept = new Kept();
        GradientClipping clipping = new GradientClipping(1e9);
        train(
                manager,
                new Metrics(),
                new EvaluatorTrainingListener(),
                clipping,
                HistoryListener.builder(kept)
                        .optMetrics("gradient_norm", "none of this name")
                        .optBefore(100, 5)
                        .build());
        assertEquals(List.of(104L, 108L), kept.steps);
        Map<String, Double> last = kept.values.get(1);
        assertEquals(
                List.of("epoch", "train/loss", "validate/loss", "gradient_norm"),
                List.copyOf(last.keySet()));
        assertEquals(7, last.get("epoch"));
        assertEquals(last.get("train/loss"), last.get("validate/loss"), 1e-6);
        assertEquals(clipping.lastNorm(), last.get("gradient_norm"), 1e-6);
    }

    @Test
    void writesMeansOfSteps(NDManager manager) throws Exception {
        Kept epochs = new Kept();
        Kept each = new Kept();
        Kept thirds = new Kept();
        train(
                manager,
                new Metrics(),
                new EvaluatorTrainingListener(),
                HistoryListener.builder(epochs).build(),
                HistoryListener.builder(each).optEverySteps(1).build(),
                HistoryListener.builder(thirds).optEverySteps(3).build());
        assertEquals(List.of(1L, 2L, 3L, 4L, 4L, 5L, 6L, 7L, 8L, 8L), each.steps);
        assertEquals(List.of(3L, 4L, 6L, 8L), thirds.steps);
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            sum += each.values.get(i).get("train/loss");
        }
        assertEquals(sum / 3, thirds.values.get(0).get("train/loss"), 1e-6);
        assertEquals(
                (sum + each.values.get(3).get("train/loss")) / 4,
                epochs.values.get(0).get("train/loss"),
                1e-6);
        assertEquals(List.of("epoch", "validate/loss"), List.copyOf(each.values.get(4).keySet()));
    }

    @Test
    void saysWhatItNeeds(NDManager manager) {
        HistoryListener listener = HistoryListener.builder(new Kept()).optEverySteps(1).build();
        String message =
                assertThrows(
                                IllegalStateException.class,
                                () ->
                                        train(
                                                manager,
                                                null,
                                                new EvaluatorTrainingListener(),
                                                listener))
                        .getMessage();
        assertTrue(message.startsWith("HistoryListener: the trainer has no metrics"), message);
        String order =
                assertThrows(
                                IllegalStateException.class,
                                () -> train(manager, new Metrics(), listener))
                        .getMessage();
        assertTrue(order.contains("EvaluatorTrainingListener must come before"), order);
    }

    @Test
    void aFullDiskEndsTheTraining(NDManager manager) {
        ScalarLog full =
                new ScalarLog() {
                    @Override
                    public void write(long step, Map<String, ? extends Number> values)
                            throws IOException {
                        throw new IOException("CsvHistory: cannot write a.csv: full");
                    }

                    @Override
                    public void close() {}
                };
        assertEquals(
                "CsvHistory: cannot write a.csv: full",
                assertThrows(
                                UncheckedIOException.class,
                                () ->
                                        train(
                                                manager,
                                                new Metrics(),
                                                new EvaluatorTrainingListener(),
                                                HistoryListener.builder(full).build()))
                        .getMessage());
    }
}
