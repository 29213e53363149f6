package org.slotwise.examples.discover;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.loss.IndexLoss;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.examples.shared.Resumed;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.examples.shared.StepRows;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.ProgressListener;
import org.slotwise.training.StepRandom;

/** Trains a {@link DiscoveryModel} on scenes of which it sees nothing but the pixels. */
final class DiscoveryTraining implements AutoCloseable {

    private static final int BATCH = 32;
    private static final int VALIDATION_SCENES = 320;
    private static final long VALIDATION_SEED = 987_654_321;
    private static final List<String> COLUMNS =
            List.of("loss", "gradient_norm", "learning_rate", "fg_ari", "ari", "mse");
    private static final Duration LOG_EVERY = Duration.ofMinutes(1);
    private static final String LOSS =
            EvaluatorTrainingListener.metricName(
                    new ReconstructionLoss(), EvaluatorTrainingListener.TRAIN_ALL);

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 40;

    private final DiscoveryRun run;
    private final DiscoveryTask task;
    private final DiscoveryRecipe recipe;
    private final StepRandom random;
    private final LearningRate learningRate;
    private final Adam adam;
    private final Model model;
    private final DiscoveryModel block;
    private long done;

    /**
     * What is written while the training runs.
     *
     * @param reportEvery after how many steps progress is told
     * @param checkpoint the file of the checkpoint; null for none
     * @param checkpointEvery after how many steps it is written
     * @param history the file of the history; null for none
     */
    record Traces(
            int reportEvery,
            @Nullable Path checkpoint,
            int checkpointEvery,
            @Nullable Path history) {}

    /**
     * Starts a training: draws the weights.
     *
     * @param run which one
     */
    DiscoveryTraining(DiscoveryRun run) {
        this.run = run;
        task = run.task();
        recipe = task.recipe();
        random = new StepRandom(run.seed());
        learningRate = DiscoveryRecipe.learningRate(run.learningRate(), run.steps());
        adam = Adam.builder().optLearningRate(learningRate).build();
        model = Model.newInstance(task.toString());
        block = new DiscoveryModel(task, run.eps());
        model.setBlock(block);
        random.seedEngine(Engine.getInstance(), 0);
        int side = task.layout().side();
        block.initialize(model.getNDManager(), model.getDataType(), new Shape(1, 3, side, side));
    }

    /** The model as it is now; it is freed with the training. */
    DiscoveryModel model() {
        return block;
    }

    /**
     * Goes on from a checkpoint.
     *
     * @param file the checkpoint
     * @throws IOException if it cannot be read, or is one of another run
     */
    void resume(Path file) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.read(file)) {
            checkpoint.requireRun(run.texts());
            checkpoint.restore(block, adam);
            done = checkpoint.step();
        }
    }

    /**
     * Trains until all steps are done.
     *
     * @param out where progress is told
     * @param traces what is written
     * @throws IOException if something cannot be written, or the process is asked to end
     * @throws TranslateException never, as scenes are generated
     */
    void train(PrintWriter out, Traces traces) throws IOException, TranslateException {
        out.printf(
                Locale.ROOT,
                "%s: %d steps of %d scenes, learning rate %s, seed %d, %d parameters%n",
                task,
                run.steps(),
                BATCH,
                run.learningRate(),
                run.seed(),
                block.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum());
        if (done > 0) {
            out.println(Resumed.after(done, run.steps()));
        }
        GradientClipping clipping = new GradientClipping(recipe.largestNorm());
        DivergenceCheck divergence =
                DivergenceCheck.builder(clipping).optFirstStep(done + 1).build();
        if (done > 0 && traces.checkpoint() != null) {
            divergence.lastGood(traces.checkpoint());
        }
        StepRows history = new StepRows(traces.history(), COLUMNS, done);
        try (ProgressListener progress =
                        new ProgressListener(
                                run.steps(), done, LOG_EVERY, GradientClipping.METRIC);
                StopRequest stop = new StopRequest();
                Trainer trainer =
                        model.newTrainer(
                                new DefaultTrainingConfig(
                                                new IndexLoss(new ReconstructionLoss(), 0))
                                        .optOptimizer(adam)
                                        .addTrainingListeners(
                                                new EvaluatorTrainingListener(),
                                                clipping,
                                                divergence,
                                                progress))) {
            Report report = new Report(out, traces.reportEvery(), progress);
            for (Batch batch : trainer.iterateDataset(scenesToCome())) {
                // A trainer's metrics grow with every step.
                trainer.setMetrics(new Metrics());
                long step = done + 1;
                try (batch) {
                    EasyTrain.trainBatch(trainer, lesson(batch, step));
                }
                trainer.step();
                done = step;
                double loss = trainer.getMetrics().latestMetric(LOSS).getValue().doubleValue();
                SceneScoring.Scores scores = report.after(step, loss);
                history.add(
                        step,
                        loss,
                        clipping.lastNorm(),
                        learningRate.at(step),
                        scores == null ? Double.NaN : scores.foreground(),
                        scores == null ? Double.NaN : scores.all(),
                        scores == null ? Double.NaN : scores.error());
                if (traces.checkpoint() != null) {
                    if (step % traces.checkpointEvery() == 0
                            || step == run.steps()
                            || stop.isMade()) {
                        Checkpoint.write(traces.checkpoint(), block, adam, step, run.texts());
                        divergence.lastGood(traces.checkpoint());
                    }
                }
                if (stop.isMade()) {
                    throw StopRequest.end(out, step, traces.checkpoint());
                }
            }
        }
    }

    /** Each step has scenes of its own, wherever the training goes on. */
    private SceneDataset scenesToCome() {
        Scenes all = task.scenes(FIRST_DATA_SEED + run.seed(), (long) run.steps() * BATCH);
        return SceneDataset.builder()
                .setScenes(all.range(done * BATCH, all.size()))
                .setSampling(BATCH, false, true)
                .build();
    }

    /** What the model is given in a step, and what it is to make of it. */
    private Batch lesson(Batch scenes, long step) {
        NDManager manager = scenes.getManager();
        NDArray images = scenes.getData().head();
        Random draws = random.at(step);
        int stride = recipe.decodeStride();
        PixelLattice lattice =
                new PixelLattice(stride, draws.nextInt(stride), draws.nextInt(stride));
        NDArray starts = block.slotStart().draw(manager, BATCH, recipe.jitter(), draws);
        NDArray plan = DiscoveryModel.plan(manager, recipe.iterations(step, run.steps()), lattice);
        return new Batch(
                manager,
                new NDList(images, starts, plan),
                new NDList(lattice.of(images)),
                BATCH,
                Batchifier.STACK,
                Batchifier.STACK,
                step,
                run.steps());
    }

    /** Tells every few steps how the training goes. */
    private final class Report {
        private final SceneScoring validation = task.scoring(VALIDATION_SEED, VALIDATION_SCENES);
        private final PrintWriter out;
        private final int every;
        private final ProgressListener progress;
        private final long before = done;
        private final long start = System.nanoTime();
        private double losses;
        private int since;

        Report(PrintWriter out, int every, ProgressListener progress) {
            this.out = out;
            this.every = every;
            this.progress = progress;
        }

        SceneScoring.@Nullable Scores after(long step, double loss)
                throws IOException, TranslateException {
            losses += loss;
            since++;
            if (step % every != 0 && step != run.steps()) {
                return null;
            }
            SceneScoring.Scores scores = validation.of(block.segmenting(recipe.moreIterations()));
            double seconds = (System.nanoTime() - start) / 1e9;
            String line =
                    String.format(
                            Locale.ROOT,
                            "step %5d  loss %.5f  %s  %4.0f s, %.0f s left%n",
                            step,
                            losses / since,
                            scores,
                            seconds,
                            seconds / (step - before) * (run.steps() - step));
            progress.aside(
                    () -> {
                        out.print(line);
                        out.flush();
                    });
            losses = 0;
            since = 0;
            return scores;
        }
    }

    @Override
    public void close() {
        adam.close();
        model.close();
    }
}
