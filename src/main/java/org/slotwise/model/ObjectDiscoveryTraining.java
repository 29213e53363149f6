package org.slotwise.model;

import ai.djl.training.listener.TrainingListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

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

    private final TrainingRun.Options options;

    private ObjectDiscoveryTraining(TrainingRun.Options options) {
        this.options = options;
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
        return new TrainingRun(options).run();
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
         * @param scenes at least one; masks are not looked at. A thread of the training's own asks
         *     for those of the next step while the present one computes
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
            return new ObjectDiscoveryTraining(
                    new TrainingRun.Options(
                            model,
                            scenes,
                            recipe,
                            validation,
                            checkpoint,
                            checkpointEvery,
                            resume,
                            reportEvery,
                            reports,
                            List.copyOf(listeners),
                            stop));
        }
    }
}
