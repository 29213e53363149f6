package org.slotwise.model;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListener;
import ai.djl.translate.Batchifier;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.internal.SmallPictureWarning;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.ProgressListener;
import org.slotwise.training.StepRandom;

/** One run of an {@link ObjectDiscoveryTraining}, from its first step or its checkpoint on. */
final class TrainingRun {

    private static final String WHO = "ObjectDiscoveryTraining";
    private static final Logger LOG = LoggerFactory.getLogger(ObjectDiscoveryTraining.class);
    private static final Duration LOG_EVERY = Duration.ofMinutes(1);

    /** What the training was built with. */
    record Options(
            ObjectDiscoveryModel model,
            Scenes scenes,
            TrainingRecipe recipe,
            @Nullable Scenes validation,
            @Nullable Path checkpoint,
            int checkpointEvery,
            boolean resume,
            int reportEvery,
            Consumer<TrainingProgress> reports,
            List<TrainingListener> listeners,
            BooleanSupplier stop) {

        /** What tells this run from others: a checkpoint of another is refused. */
        private Map<String, String> identity() throws IOException {
            Map<String, String> identity = new TreeMap<>();
            identity.put("configuration", model.configuration().toJson());
            identity.put("recipe", recipe.identity());
            identity.put("scenes", Long.toString(scenes.size()));
            if (checkpoint != null) {
                identity.put(PICTURES, "those of checksum " + SceneSample.checksum(scenes));
            }
            return Map.copyOf(identity);
        }
    }

    /** Checkpoints of before it was looked at pictures do not have it. */
    private static final String PICTURES = "pictures";

    private final SmallPictureWarning small = new SmallPictureWarning(LOG, WHO);
    private final Options options;
    private final ObjectDiscoveryModel model;
    private final TrainingRecipe recipe;
    private final StepRandom random;
    private final LearningRate rate;
    private final SceneOrder order;
    private final GradientClipping clipping;
    private final DiscoveryLoss loss;
    private Map<String, String> identity = Map.of();
    private long first;
    private long done;
    private long start;
    private double losses;
    private int since;

    TrainingRun(Options options) {
        this.options = options;
        model = options.model();
        recipe = options.recipe();
        random = new StepRandom(recipe.seed());
        rate = recipe.learningRate().rate();
        order = new SceneOrder(recipe.seed(), Math.toIntExact(options.scenes().size()));
        clipping = new GradientClipping(recipe.largestNorm());
        loss = new DiscoveryLoss(recipe, model.block().featureGrid());
    }

    /** As {@link ObjectDiscoveryTraining#train}. */
    TrainingProgress run() throws IOException {
        identity = options.identity();
        try (Adam adam = Adam.builder().optLearningRate(rate).build()) {
            if (options.resume()) {
                resume(adam);
            }
            DivergenceCheck divergence =
                    DivergenceCheck.builder(clipping).optFirstStep(done + 1).build();
            if (done > 0 && options.checkpoint() != null) {
                divergence.lastGood(options.checkpoint());
            }
            try (ProgressListener display =
                            new ProgressListener(
                                    recipe.steps(), done, LOG_EVERY, GradientClipping.METRIC);
                    Trainer trainer = model.newTrainer(config(adam, divergence, display));
                    StepImages images = new StepImages(this::images, recipe.steps())) {
                return steps(trainer, images, adam, divergence, display);
            }
        }
    }

    /** On the model's one device: see {@link Adam}. */
    private DefaultTrainingConfig config(
            Adam adam, DivergenceCheck divergence, ProgressListener display) {
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(loss)
                        .optOptimizer(adam)
                        .optDevices(new Device[] {model.model().getNDManager().getDevice()})
                        .addTrainingListeners(
                                new EvaluatorTrainingListener(), clipping, divergence, display);
        options.listeners().forEach(config::addTrainingListeners);
        return config;
    }

    private void resume(Adam adam) throws IOException {
        Path checkpoint = options.checkpoint();
        if (checkpoint == null || !Files.exists(checkpoint)) {
            throw new IOException(
                    WHO + ": there is no checkpoint to go on from, got " + checkpoint);
        }
        try (Checkpoint last = Checkpoint.read(checkpoint)) {
            Map<String, String> known = new TreeMap<>(identity);
            if (!last.run().containsKey(PICTURES)) {
                known.remove(PICTURES);
            }
            last.requireRun(known);
            last.restore(model.block(), adam);
            done = last.step();
            first = done;
        }
        LOG.info("{}: going on after step {}", WHO, done);
    }

    private TrainingProgress steps(
            Trainer trainer,
            StepImages images,
            Adam adam,
            DivergenceCheck divergence,
            ProgressListener display)
            throws IOException {
        Path checkpoint = options.checkpoint();
        @Nullable TrainingProgress last = null;
        start = System.nanoTime();
        while (done < recipe.steps()) {
            int grows = recipe.termSteps();
            loss.grow(grows == 0 ? 1 : Math.min(1, (done + 1.0) / grows));
            step(trainer, images);
            // Cleared for now: an interrupted thread can write no file.
            boolean marked = Thread.interrupted();
            boolean interrupted = marked || options.stop().getAsBoolean();
            boolean end = done == recipe.steps() || interrupted;
            if (checkpoint != null && (done % options.checkpointEvery() == 0 || end)) {
                Checkpoint.write(checkpoint, model.block(), adam, done, identity);
                divergence.lastGood(checkpoint);
            }
            if (done % options.reportEvery() == 0 || end) {
                TrainingProgress now = progress(interrupted ? null : options.validation());
                display.aside(() -> options.reports().accept(now));
                last = now;
            }
            if (interrupted) {
                if (marked) {
                    Thread.currentThread().interrupt();
                }
                throw new InterruptedIOException(
                        WHO
                                + (": interrupted after step " + done)
                                + (checkpoint == null ? "" : "; go on from " + checkpoint));
            }
        }
        return last == null ? nothing() : last;
    }

    private void step(Trainer trainer, StepImages images) throws IOException {
        // A trainer's metrics grow with every step.
        trainer.setMetrics(new Metrics());
        long step = done + 1;
        random.seedEngine(Engine.getEngine("PyTorch"), step);
        try (Batch batch = batch(trainer.getManager().newSubManager(), images, step)) {
            EasyTrain.trainBatch(trainer, batch);
        }
        trainer.step();
        done = step;
        String loss =
                EvaluatorTrainingListener.metricName(
                        trainer.getLoss(), EvaluatorTrainingListener.TRAIN_ALL);
        losses += trainer.getMetrics().latestMetric(loss).getValue().doubleValue();
        since++;
    }

    /** How it stands since the last report. */
    private TrainingProgress progress(@Nullable Scenes validation) throws IOException {
        double seconds = (System.nanoTime() - start) / 1e9;
        TrainingProgress now =
                new TrainingProgress(
                        done,
                        recipe.steps(),
                        losses / since,
                        clipping.lastNorm(),
                        rate.at(done),
                        seconds / (done - first) * (recipe.steps() - done),
                        validation == null ? null : model.evaluate(validation));
        losses = 0;
        since = 0;
        return now;
    }

    /** How a training stands of which nothing is left to do. */
    private TrainingProgress nothing() throws IOException {
        Scenes validation = options.validation();
        return new TrainingProgress(
                done,
                recipe.steps(),
                Double.NaN,
                Double.NaN,
                rate.at(Math.max(1, done)),
                0,
                validation == null ? null : model.evaluate(validation));
    }

    /** Of a step, as its draws change them. */
    private List<byte[]> images(long step) throws IOException {
        Random draws = random.at(step);
        int height = model.configuration().imageHeight();
        int width = model.configuration().imageWidth();
        List<byte[]> images = new ArrayList<>();
        for (int index : order.of(step, recipe.batchSize())) {
            Scene whole = options.scenes().get(index);
            small.see(
                    whole.height(),
                    whole.width(),
                    height,
                    width,
                    what -> "scene " + index + ": " + what);
            Scene scene = model.configuration().cut(whole);
            images.add(recipe.augmentation().image(scene, height, width, draws));
        }
        return images;
    }

    private Batch batch(NDManager manager, StepImages prepared, long step) throws IOException {
        try {
            List<byte[]> images = prepared.of(step);
            NDArray batch =
                    SceneImages.of(
                            manager,
                            images,
                            model.configuration().imageHeight(),
                            model.configuration().imageWidth(),
                            model.model().getDataType());
            return new Batch(
                    manager,
                    new NDList(batch),
                    new NDList(batch),
                    images.size(),
                    Batchifier.STACK,
                    Batchifier.STACK,
                    step,
                    recipe.steps());
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }
}
