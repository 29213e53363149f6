package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.TrainingDivergedException;
import ai.djl.metric.Metric;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.evaluator.IndexEvaluator;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.listener.TrainingListener.BatchData;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.loss.IndexLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.SegmentationEvaluator;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Loss, metric, clipping and optimizer in the hands of DJL's {@link Trainer}. */
@ExtendWith(OnDevice.class)
class TrainerTest {

    private static final double RATE = 0.05;
    private static final double BOUND = 0.1;

    private static DefaultTrainingConfig config(Adam adam) {
        return new DefaultTrainingConfig(new ReconstructionLoss())
                .optOptimizer(adam)
                .optDevices(new Device[] {OnDevice.device()});
    }

    private static Adam adam() {
        return Adam.builder().optLearningRate(LearningRate.constant(RATE)).build();
    }

    /** A loop as users write it, beside the same computed by hand. */
    @Test
    void stepsAsByHand(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 8, 3);
        NDArray y = Tensors.normal(manager, 2, 8, 1);
        Adam adam = adam();
        GradientClipping clipping = new GradientClipping(BOUND);
        try (Model model = Model.newInstance("line", OnDevice.device(), "PyTorch")) {
            model.setBlock(Linear.builder().setUnits(1).optBias(false).build());
            try (Trainer trainer = model.newTrainer(config(adam))) {
                trainer.initialize(x.getShape());
                NDArray weight = model.getBlock().getParameters().valueAt(0).getArray();
                NDArray byHand = weight.duplicate();
                byHand.attach(manager);
                NDArray first = manager.zeros(byHand.getShape());
                NDArray second = manager.zeros(byHand.getShape());
                for (int step = 1; step <= 5; step++) {
                    int held = model.getNDManager().getManagedArrays().size();
                    try (NDManager batch = manager.newSubManager()) {
                        NDArray data = x.duplicate();
                        data.attach(batch);
                        try (GradientCollector collector = trainer.newGradientCollector()) {
                            NDArray loss =
                                    trainer.getLoss()
                                            .evaluate(
                                                    new NDList(y),
                                                    trainer.forward(new NDList(data)));
                            collector.backward(loss);
                        }
                        clipping.clip(model.getBlock(), batch);
                        trainer.step();
                    }
                    // 2 / 8 x^T (x w - y), clipped, and Adam without memory of bias.
                    NDArray error = x.matMul(byHand.transpose()).sub(y);
                    NDArray g = error.transpose().matMul(x).mul(2 / 8f);
                    float norm = g.norm().getFloat();
                    g = g.mul((float) Math.min(BOUND / (norm + 1e-6), 1));
                    first = first.mul(0.9f).add(g.mul(0.1f));
                    second = second.mul(0.999f).add(g.square().mul(0.001f));
                    double c1 = 1 - Math.pow(0.9, step);
                    double c2 = 1 - Math.pow(0.999, step);
                    NDArray root = second.div((float) c2).sqrt().add(1e-8f);
                    byHand = byHand.sub(first.mul((float) (RATE / c1)).div(root));
                    assertClose("step " + step, byHand, weight.duplicate(), 1e-5);
                    assertEquals(step, adam.step());
                    if (step > 1) {
                        int now = model.getNDManager().getManagedArrays().size();
                        // The copy made for the comparison, and nothing else.
                        assertEquals(held + 1, now, "arrays in the model's manager");
                    }
                }
            }
        }
    }

    /** DJL's own loop: the trainer shows the loss and the score. */
    @Test
    void easyTrainShowsTheScore(NDManager manager) throws Exception {
        // The image is its own label; the mask is the second label. The block gives a
        // reconstruction, and masks that are the image's two channels.
        NDArray images = Tensors.normal(manager, 1, 6, 2, 5);
        NDArray truth = images.argMax(1).toType(DataType.INT32, false);
        ArrayDataset data =
                new ArrayDataset.Builder()
                        .setData(images)
                        .optLabels(images, truth)
                        .setSampling(3, false)
                        .build();
        Block identity = new LambdaBlock(x -> new NDList(x.head()));
        Block both =
                new ParallelBlock(
                        outputs -> {
                            NDList all = new NDList();
                            outputs.forEach(all::addAll);
                            return all;
                        },
                        List.of(
                                new SequentialBlock().add(Linear.builder().setUnits(5).build()),
                                identity));
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(new IndexLoss(new ReconstructionLoss(), 0))
                        .optOptimizer(adam())
                        .optDevices(new Device[] {OnDevice.device()})
                        .addEvaluator(
                                new IndexEvaluator(
                                        new SegmentationEvaluator(
                                                new AdjustedRandIndex(Background.COUNTED)),
                                        1))
                        .addTrainingListeners(new EvaluatorTrainingListener());
        try (Model model = Model.newInstance("both", OnDevice.device(), "PyTorch")) {
            model.setBlock(both);
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.setMetrics(new Metrics());
                trainer.initialize(new Shape(3, 2, 5));
                EasyTrain.fit(trainer, 20, data, null);
                Metrics metrics = trainer.getMetrics();
                List<Metric> losses = metrics.getMetric("train_epoch_ReconstructionLoss");
                assertEquals(20, losses.size());
                assertTrue(
                        losses.get(19).getValue().doubleValue()
                                < 0.6 * losses.get(0).getValue().doubleValue(),
                        losses.toString());
                assertEquals(1f, metrics.latestMetric("train_epoch_ARI").getValue().floatValue());
            }
        }
    }

    /** Scalars (8, 1) and a weight of 1; the labels decide how large the gradient is. */
    private static void fit(NDManager manager, float label, int epochs, TrainingListener... all)
            throws Exception {
        NDArray x = manager.ones(new Shape(8, 1));
        ArrayDataset data =
                new ArrayDataset.Builder()
                        .setData(x)
                        .optLabels(x.mul(label))
                        .setSampling(8, false)
                        .build();
        DefaultTrainingConfig config = config(adam()).addTrainingListeners(all);
        try (Model model = Model.newInstance("line", OnDevice.device(), "PyTorch")) {
            Block line = Linear.builder().setUnits(1).optBias(false).build();
            line.setInitializer(new ConstantInitializer(1), Parameter.Type.WEIGHT);
            model.setBlock(line);
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.setMetrics(new Metrics());
                trainer.initialize(x.getShape());
                EasyTrain.fit(trainer, epochs, data, null);
                assertEquals(
                        epochs, trainer.getMetrics().getMetric(GradientClipping.METRIC).size());
            }
        }
    }

    /** DJL's own loop calls listeners before the step: the gradient that Adam sees is clipped. */
    @Test
    void clipsAsAListener(NDManager manager) throws Exception {
        GradientClipping clipping = new GradientClipping(0.5);
        double[] seen = new double[1];
        fit(
                manager,
                4,
                1,
                clipping,
                new TrainingListenerAdapter() {
                    @Override
                    public void onTrainingBatch(Trainer trainer, BatchData batch) {
                        NDArray weight =
                                trainer.getModel().getBlock().getParameters().valueAt(0).getArray();
                        try (NDArray gradient = weight.getGradient()) {
                            seen[0] = gradient.toFloatArray()[0];
                        }
                    }
                });
        assertEquals(6, clipping.lastNorm(), 1e-5); // d/dw (w - 4)^2 at w = 1
        assertEquals(-0.5, seen[0], 1e-5);
    }

    @Test
    void refusesToClipOnSeveralDevices() {
        Trainer several =
                new Trainer(Model.newInstance("none"), config(adam())) {
                    @Override
                    public Device[] getDevices() {
                        return new Device[] {Device.gpu(0), Device.gpu(1)};
                    }
                };
        try (several) {
            assertThrows(
                    IllegalStateException.class,
                    () ->
                            new GradientClipping(1)
                                    .onTrainingBatch(
                                            several, new BatchData(null, Map.of(), Map.of())));
        } finally {
            several.getModel().close();
        }
    }

    @Test
    void stopsBeforeTheStepThatWouldSpoilTheWeights(NDManager manager) {
        GradientClipping clipping = new GradientClipping(0.5);
        TrainingDivergedException diverged =
                assertThrows(
                        TrainingDivergedException.class,
                        () ->
                                fit(
                                        manager,
                                        Float.NaN,
                                        3,
                                        new EvaluatorTrainingListener(),
                                        clipping,
                                        DivergenceCheck.builder(clipping)
                                                .optFirstStep(41)
                                                .build()));
        assertTrue(
                diverged.getMessage()
                        .startsWith(
                                "Training diverged at step 41: the loss is not finite any more"),
                diverged.getMessage());
    }

    @Test
    void showsLossAndMetrics(NDManager manager) throws Exception {
        List<String> shown = new ArrayList<>();
        ProgressDisplay display =
                new ProgressDisplay() {
                    @Override
                    public void show(long done, String text) {
                        shown.add(done + ": " + text);
                    }

                    @Override
                    public void aside(Runnable printing) {
                        shown.add("aside");
                    }

                    @Override
                    public void close() {
                        shown.add("closed");
                    }
                };
        fit(
                manager,
                4,
                2,
                new EvaluatorTrainingListener(),
                new GradientClipping(1),
                new ProgressListener(7, 5, display, GradientClipping.METRIC, "no_metric"));
        assertEquals("6: loss 9.000  norm 6.000", shown.get(0));
        assertTrue(shown.get(1).matches("7: loss 8\\.70\\d  norm 5\\.900"), shown.get(1));
        assertEquals(List.of("closed"), shown.subList(2, shown.size()));
    }
}
