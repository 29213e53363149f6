package org.slotwise.model;

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
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.ProgressListener;
import org.slotwise.training.StepRandom;

/**
 * Trains an {@link ObjectDiscoveryModel} on scenes, of which it sees nothing but the images: on
 * DJL's {@code Trainer}, with Adam, bounded gradients, a check for divergence, and checkpoints.
 *
 * <pre>{@code
 * TrainingProgress end = ObjectDiscoveryTraining.builder()
 *         .setModel(model).setScenes(scenes).setRecipe(recipe)
 *         .optCheckpoint(Path.of("run.safetensors"), 500)
 *         .optReports(100, progress -> System.out.println(progress))
 *         .build()
 *         .train();
 * }</pre>
 *
 * <p>A training that goes on from its checkpoint ends with the weights of one that was never
 * interrupted, on one machine with one number of threads. Scenes of another size than the model's
 * are resized.
 *
 * <p>DJL allows one training at a time in a process.
 */
public final class ObjectDiscoveryTraining {

    private static final String WHO = "ObjectDiscoveryTraining";
    private static final Logger LOG = LoggerFactory.getLogger(ObjectDiscoveryTraining.class);
    private static final Duration LOG_EVERY = Duration.ofMinutes(1);

    private final ObjectDiscoveryModel model;
    private final Scenes scenes;
    private final TrainingRecipe recipe;
    private final @Nullable Scenes validation;
    private final @Nullable Path checkpoint;
    private final int checkpointEvery;
    private final boolean resume;
    private final int reportEvery;
    private final Consumer<TrainingProgress> reports;
    private final List<TrainingListener> listeners;
    private final BooleanSupplier stop;
    private final StepRandom random;
    private final LearningRate rate;
    private final SceneOrder order;
    private long done;

    private ObjectDiscoveryTraining(
            Builder builder, ObjectDiscoveryModel model, Scenes scenes, TrainingRecipe recipe) {
        this.model = model;
        this.scenes = scenes;
        this.recipe = recipe;
        validation = builder.validation;
        checkpoint = builder.checkpoint;
        checkpointEvery = builder.checkpointEvery;
        resume = builder.resume;
        reportEvery = builder.reportEvery;
        reports = builder.reports;
        listeners = List.copyOf(builder.listeners);
        stop = builder.stop;
        random = new StepRandom(recipe.seed());
        rate = recipe.learningRate().rate();
        order = new SceneOrder(recipe.seed(), Math.toIntExact(scenes.size()));
    }

    /** What tells this run from others: a checkpoint of another is refused. */
    private Map<String, String> run() {
        return Map.of(
                "configuration", model.configuration().toJson(),
                "recipe", recipe.toString(),
                "scenes", Long.toString(scenes.size()));
    }

    /**
     * Trains until all steps are done.
     *
     * @return how it ended
     * @throws IOException if a scene cannot be read or a checkpoint not written, if there is none
     *     to go on from or it is one of another run, or if the thread is interrupted or asked to
     *     stop: a checkpoint is written before
     * @throws IllegalStateException if the training diverges
     */
    public TrainingProgress train() throws IOException {
        done = 0;
        try (Adam adam = Adam.builder().optLearningRate(rate).build()) {
            if (resume) {
                resume(adam);
            }
            GradientClipping clipping = new GradientClipping(recipe.largestNorm());
            DivergenceCheck divergence =
                    DivergenceCheck.builder(clipping).optFirstStep(done + 1).build();
            if (done > 0 && checkpoint != null) {
                divergence.lastGood(checkpoint);
            }
            try (ProgressListener progress =
                    new ProgressListener(
                            recipe.steps(), done, LOG_EVERY, GradientClipping.METRIC)) {
                DefaultTrainingConfig config =
                        new DefaultTrainingConfig(
                                        new DiscoveryLoss(
                                                recipe.maskSmoothness(),
                                                model.block().featureGrid()))
                                .optOptimizer(adam)
                                .optDevices(
                                        new ai.djl.Device[] {
                                            model.model().getNDManager().getDevice()
                                        })
                                .addTrainingListeners(
                                        new EvaluatorTrainingListener(),
                                        clipping,
                                        divergence,
                                        progress);
                listeners.forEach(config::addTrainingListeners);
                try (Trainer trainer = model.newTrainer(config)) {
                    return steps(trainer, adam, clipping, divergence, progress);
                }
            }
        }
    }

    private void resume(Adam adam) throws IOException {
        if (checkpoint == null || !Files.exists(checkpoint)) {
            throw new IOException(
                    WHO + ": there is no checkpoint to go on from, got " + checkpoint);
        }
        try (Checkpoint last = Checkpoint.read(checkpoint)) {
            last.requireRun(run());
            last.restore(model.block(), adam);
            done = last.step();
        }
        LOG.info("{}: going on after step {}", WHO, done);
    }

    private TrainingProgress steps(
            Trainer trainer,
            Adam adam,
            GradientClipping clipping,
            DivergenceCheck divergence,
            ProgressListener display)
            throws IOException {
        String lossName =
                EvaluatorTrainingListener.metricName(
                        trainer.getLoss(), EvaluatorTrainingListener.TRAIN_ALL);
        long first = done;
        long start = System.nanoTime();
        double losses = 0;
        int since = 0;
        TrainingProgress last = nothing();
        while (done < recipe.steps()) {
            // A trainer's metrics grow with every step.
            trainer.setMetrics(new Metrics());
            long step = done + 1;
            random.seedEngine(Engine.getEngine("PyTorch"), step);
            try (Batch batch = batch(trainer.getManager().newSubManager(), step)) {
                EasyTrain.trainBatch(trainer, batch);
            }
            trainer.step();
            done = step;
            losses += trainer.getMetrics().latestMetric(lossName).getValue().doubleValue();
            since++;
            // Cleared for now: an interrupted thread can write no file.
            boolean marked = Thread.interrupted();
            boolean interrupted = marked || stop.getAsBoolean();
            boolean end = step == recipe.steps() || interrupted;
            if (checkpoint != null && (step % checkpointEvery == 0 || end)) {
                Checkpoint.write(checkpoint, model.block(), adam, step, run());
                divergence.lastGood(checkpoint);
            }
            if (step % reportEvery == 0 || end) {
                double seconds = (System.nanoTime() - start) / 1e9;
                last =
                        new TrainingProgress(
                                step,
                                recipe.steps(),
                                losses / since,
                                clipping.lastNorm(),
                                rate.at(step),
                                seconds / (step - first) * (recipe.steps() - step),
                                validation == null || interrupted
                                        ? null
                                        : model.evaluate(validation));
                TrainingProgress now = last;
                display.aside(() -> reports.accept(now));
                losses = 0;
                since = 0;
            }
            if (interrupted) {
                if (marked) {
                    Thread.currentThread().interrupt();
                }
                throw new InterruptedIOException(
                        WHO
                                + ": interrupted after step "
                                + step
                                + (checkpoint == null ? "" : "; go on from " + checkpoint));
            }
        }
        return last;
    }

    /** How a training stands of which nothing is left to do. */
    private TrainingProgress nothing() {
        return new TrainingProgress(
                done, recipe.steps(), Double.NaN, Double.NaN, rate.at(Math.max(1, done)), 0, null);
    }

    private Batch batch(NDManager manager, long step) throws IOException {
        Random draws = random.at(step);
        int height = model.configuration().imageHeight();
        int width = model.configuration().imageWidth();
        List<byte[]> images = new ArrayList<>();
        try {
            for (int index : order.of(step, recipe.batchSize())) {
                images.add(recipe.augmentation().image(scenes.get(index), height, width, draws));
            }
            NDArray batch =
                    SceneImages.of(manager, images, height, width, model.model().getDataType());
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

    /**
     * Starts the description of a training.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link ObjectDiscoveryTraining}. */
    public static final class Builder {
        private @Nullable ObjectDiscoveryModel model;
        private @Nullable Scenes scenes;
        private @Nullable TrainingRecipe recipe;
        private @Nullable Scenes validation;
        private @Nullable Path checkpoint;
        private int checkpointEvery = 1;
        private boolean resume;
        private int reportEvery = 100;
        private Consumer<TrainingProgress> reports = progress -> LOG.info("{}", progress);
        private final List<TrainingListener> listeners = new ArrayList<>();
        private BooleanSupplier stop = () -> false;

        private Builder() {}

        /**
         * Sets the model that is trained, from the weights that it has.
         *
         * @param model a model
         * @return this
         */
        public Builder setModel(ObjectDiscoveryModel model) {
            this.model = model;
            return this;
        }

        /**
         * Sets what it learns from.
         *
         * @param scenes at least one; masks are not looked at
         * @return this
         */
        public Builder setScenes(Scenes scenes) {
            this.scenes = scenes;
            return this;
        }

        /**
         * Sets how it is trained.
         *
         * @param recipe that of a {@link Preset} for instance
         * @return this
         */
        public Builder setRecipe(TrainingRecipe recipe) {
            this.recipe = recipe;
            return this;
        }

        /**
         * Sets scenes that are scored at each report.
         *
         * @param validation with masks; none if not set
         * @return this
         */
        public Builder optValidation(Scenes validation) {
            this.validation = validation;
            return this;
        }

        /**
         * Sets that checkpoints are written, and where.
         *
         * @param file a path that ends in ".safetensors"; none is written if not set
         * @param every after how many steps, at least 1
         * @return this
         */
        public Builder optCheckpoint(Path file, int every) {
            this.checkpoint = file;
            this.checkpointEvery = every;
            return this;
        }

        /**
         * Sets whether the training goes on from its checkpoint.
         *
         * @param resume false if not set
         * @return this
         */
        public Builder optResume(boolean resume) {
            this.resume = resume;
            return this;
        }

        /**
         * Sets who is told how the training goes, and how often.
         *
         * @param every after how many steps, at least 1; 100 if not set
         * @param reports takes each report; the log if not set
         * @return this
         */
        public Builder optReports(int every, Consumer<TrainingProgress> reports) {
            this.reportEvery = every;
            this.reports = reports;
            return this;
        }

        /**
         * Adds listeners of DJL's trainer. They come after the library's own.
         *
         * @param listeners any number
         * @return this
         */
        public Builder optListeners(TrainingListener... listeners) {
            this.listeners.addAll(List.of(listeners));
            return this;
        }

        /**
         * Sets what may ask the training to end early, as an interruption of its thread does.
         *
         * @param stop asked after each step; never if not set
         * @return this
         */
        public Builder optStop(BooleanSupplier stop) {
            this.stop = stop;
            return this;
        }

        /**
         * Builds the training.
         *
         * @return the training
         * @throws IllegalArgumentException if something is missing or out of range
         */
        public ObjectDiscoveryTraining build() {
            if (model == null || scenes == null || recipe == null) {
                throw new IllegalArgumentException(WHO + ": model, scenes and recipe must be set");
            }
            Check.option(
                    scenes.size() > 0 && scenes.size() <= Integer.MAX_VALUE,
                    WHO + ": scenes must be at least 1, got " + scenes.size());
            Check.atLeast(WHO, "checkpoint's every", checkpointEvery, 1);
            Check.atLeast(WHO, "reports' every", reportEvery, 1);
            Check.option(
                    checkpoint == null || checkpoint.toString().endsWith(".safetensors"),
                    WHO + ": checkpoint must end in .safetensors, got " + checkpoint);
            Check.option(
                    !resume || checkpoint != null, WHO + ": to resume there must be a checkpoint");
            return new ObjectDiscoveryTraining(this, model, scenes, recipe);
        }
    }
}
