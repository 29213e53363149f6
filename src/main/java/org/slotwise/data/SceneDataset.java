package org.slotwise.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.BatchSampler;
import ai.djl.training.dataset.DataIterable;
import ai.djl.training.dataset.RandomAccessDataset;
import ai.djl.training.dataset.Record;
import ai.djl.training.dataset.Sampler;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import ai.djl.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Scenes as one of DJL's data sets: images to train on, masks to measure with.
 *
 * <p>A batch holds
 *
 * <pre>{@code
 * data    the images (B, 3, H, W) float32 in [0, 1], red, green, blue
 * labels  the images once more, for training without supervision;
 *         then, where the scenes have masks, the label of each pixel (B, H * W) int64, row by row, 0 for the background,
 *         -1 for pixels that belong to nothing (Scene.withVoid)
 *         last, with optProperties, what the objects are (B, K, P) float32
 * }</pre>
 *
 * <p>The images among the labels are the same arrays as the data, unless a pipeline changes the
 * data. All images of a batch must have one size. A batch is made in one go on the manager's device
 * (or on {@code optDevice}); with transforms or batchifiers of your own it is made scene by scene,
 * as DJL does.
 *
 * <p>A scene that cannot be read ends the iteration with the {@link IllegalStateException} in which
 * DJL wraps it; its cause says which file and record.
 */
public final class SceneDataset extends RandomAccessDataset {

    private static final String WHO = "SceneDataset";

    private final Scenes scenes;
    private final int objects;

    private SceneDataset(Builder builder, Scenes scenes) {
        super(builder);
        this.scenes = scenes;
        objects = builder.objects;
    }

    /** {@inheritDoc} */
    @Override
    public Record get(NDManager manager, long index) throws IOException {
        Scene scene = scenes.get(index);
        float[] pixels = new float[scene.image().length];
        scene.imageInto(pixels, 0);
        Shape shape = new Shape(3, scene.height(), scene.width());
        NDArray image = manager.create(pixels, shape);
        // A copy of its own: a transform may change the data, and DJL closes each list.
        NDList labels = new NDList(manager.create(pixels, shape));
        if (scene.hasMask()) {
            long[] mask = new long[scene.mask().length];
            scene.maskInto(mask, 0);
            labels.add(manager.create(mask));
        }
        if (objects > 0) {
            int length = SceneBatch.rowLength(WHO, scene);
            Check.option(length > 0, WHO + ": scene " + index + " has no object with properties");
            float[] properties = new float[objects * length];
            SceneBatch.propertiesInto(WHO, scene, objects, length, properties, 0);
            labels.add(manager.create(properties, new Shape(objects, length)));
        }
        return new Record(new NDList(image), labels);
    }

    /** {@inheritDoc} */
    @Override
    protected long availableSize() {
        return scenes.size();
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(@Nullable Progress progress) {
        // Nothing to fetch: the scenes are generated, or already on disk.
    }

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(
            NDManager manager, Sampler sampler, @Nullable ExecutorService executorService)
            throws IOException, TranslateException {
        boolean asTheyAre =
                pipeline == null
                        && targetPipeline == null
                        && dataBatchifier == Batchifier.STACK
                        && labelBatchifier == Batchifier.STACK;
        if (!asTheyAre) {
            return super.getData(manager, sampler, executorService);
        }
        // The superclass's constructor already starts to fetch, so this subclass has no fields.
        return new DataIterable(
                this,
                manager,
                sampler,
                dataBatchifier,
                labelBatchifier,
                null,
                null,
                executorService,
                prefetchNumber,
                device) {
            @Override
            protected Batch fetch(List<Long> indices, int progress) throws IOException {
                List<Scene> batch = new ArrayList<>(indices.size());
                for (long index : indices) {
                    batch.add(scenes.get(index));
                }
                return SceneBatch.of(
                        WHO, manager, batch, device, objects, progress, size(), indices);
            }
        };
    }

    /**
     * Starts the description of a data set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SceneDataset}. */
    public static final class Builder extends BaseBuilder<Builder> {
        private @Nullable Scenes scenes;
        private int objects;

        private Builder() {}

        /** {@inheritDoc} */
        @Override
        protected Builder self() {
            return this;
        }

        /**
         * Sets the scenes.
         *
         * @param scenes generated or read from files
         * @return this
         */
        public Builder setScenes(Scenes scenes) {
            this.scenes = scenes;
            return this;
        }

        /**
         * Sets that what the objects are is the last of the labels: the scenes' properties, (B, K,
         * P). Scenes of fewer objects than K have rows of zeros after theirs. A scene of more
         * objects, or without properties, is an error.
         *
         * @param objects K, at least 1; no properties if not set
         * @return this
         */
        public Builder optProperties(int objects) {
            Check.option(objects > 0, WHO + ": objects must be at least 1, got " + objects);
            this.objects = objects;
            return this;
        }

        /**
         * Sets that the scenes come in batches in a random order, another one each time that the
         * data set is gone through. The n-th order depends on the seed and on n alone. (The orders
         * of {@code setSampling(batchSize, true)} depend on everything that the process draws.)
         *
         * @param batchSize how many scenes a batch has
         * @param seed any number
         * @param dropLast whether a last batch of fewer scenes is left out
         * @return this
         */
        public Builder setShuffledSampling(int batchSize, long seed, boolean dropLast) {
            Check.option(batchSize > 0, WHO + ": batchSize must be at least 1, got " + batchSize);
            return setSampling(new BatchSampler(new ShuffledIndices(seed), batchSize, dropLast));
        }

        /**
         * Builds the data set.
         *
         * @return the data set
         * @throws IllegalArgumentException if the scenes or the sampling are missing, or the batch
         *     size is below 1
         */
        public SceneDataset build() {
            if (scenes == null) {
                throw new IllegalArgumentException(WHO + ": scenes are missing");
            }
            Check.option(sampler != null, WHO + ": the sampling is missing");
            int batchSize = sampler.getBatchSize();
            Check.option(
                    batchSize > 0 || batchSize == -1,
                    WHO + ": batchSize must be at least 1, got " + batchSize);
            return new SceneDataset(this, scenes);
        }
    }
}
