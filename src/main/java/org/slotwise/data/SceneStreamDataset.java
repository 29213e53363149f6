package org.slotwise.data;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.util.Progress;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Scenes that are read one after the other as one of DJL's data sets, in bounded memory.
 *
 * <p>A batch holds what a batch of {@link SceneDataset} holds: images (B, 3, H, W) float32 in [0,
 * 1] as data; the same array and, where the scenes have masks, the label of each pixel (B, H * W)
 * int64 as labels.
 *
 * <p>Shuffling takes each scene at random from a buffer of the next ones, as files of any size
 * allow: a scene moves forward by no more than the buffer's size. The n-th time that the data set
 * is gone through, the order depends on the seed and on n alone.
 *
 * <p>With an executor, the next batch is read while the present one is worked on, and several
 * threads read several files, if {@link Builder#optInterleave} is set, or unpack one ahead. The
 * order of the scenes does not depend on them. The files are closed at the end, or, when the
 * iteration is left early, with the manager. A scene that cannot be read ends the iteration, when
 * it is its turn, with an {@link java.io.UncheckedIOException} that says which file and record.
 */
public final class SceneStreamDataset implements Dataset {

    static final String WHO = "SceneStreamDataset";

    private final SceneSource source;
    private final int batchSize;
    private final boolean dropLast;
    private final long limit;
    private final int interleaved;
    private final int bufferSize;
    private final long seed;
    private final AtomicLong epochs = new AtomicLong();

    private SceneStreamDataset(Builder builder, SceneSource source) {
        this.source = source;
        batchSize = builder.batchSize;
        dropLast = builder.dropLast;
        limit = builder.limit;
        interleaved = builder.interleaved;
        bufferSize = builder.bufferSize;
        seed = builder.seed;
    }

    /** {@inheritDoc} */
    @Override
    public Iterable<Batch> getData(NDManager manager) throws IOException {
        return getData(manager, null);
    }

    /**
     * {@inheritDoc}
     *
     * <p>What is returned can be gone through once.
     */
    @Override
    public Iterable<Batch> getData(NDManager manager, @Nullable ExecutorService executorService)
            throws IOException {
        ShuffleBuffer scenes =
                new ShuffleBuffer(
                        InterleavedScenes.of(source, interleaved, executorService).limit(limit),
                        bufferSize,
                        new SplitMix(seed, epochs.getAndIncrement()));
        SceneBatches batches =
                new SceneBatches(scenes, manager, batchSize, dropLast, limit, executorService);
        return () -> batches;
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(@Nullable Progress progress) {
        // Nothing to fetch: the files are on disk.
    }

    /**
     * Starts the description of a data set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link SceneStreamDataset}. */
    public static final class Builder {
        private @Nullable SceneSource source;
        private int batchSize;
        private boolean dropLast;
        private long limit = Long.MAX_VALUE;
        private int interleaved = 1;
        private int bufferSize = 1;
        private long seed;

        private Builder() {}

        /**
         * Sets where the scenes come from.
         *
         * @param source files
         * @return this
         */
        public Builder setSource(SceneSource source) {
            this.source = source;
            return this;
        }

        /**
         * Sets how many scenes a batch has.
         *
         * @param batchSize at least 1
         * @return this
         */
        public Builder setBatchSize(int batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        /**
         * Sets whether a last batch of fewer scenes is left out.
         *
         * @param dropLast false if not set
         * @return this
         */
        public Builder optDropLast(boolean dropLast) {
            this.dropLast = dropLast;
            return this;
        }

        /**
         * Sets that the scenes come in a random order.
         *
         * @param bufferSize how many scenes are held in memory to draw from, at least 1; 1, the
         *     order of the file, if not set
         * @param seed any number
         * @return this
         */
        public Builder optShuffle(int bufferSize, long seed) {
            this.bufferSize = bufferSize;
            this.seed = seed;
            return this;
        }

        /**
         * Sets how many of the source's {@linkplain SceneSource#parts parts}, its files, are read
         * at the same time, by as many threads as the executor of {@code getData} has. The scenes
         * come one of each file in turn; a file that has ended gives its place to the next one,
         * which goes on in the same turn:
         *
         * <pre>{@code
         * files a0 a1 a2 a3, b0, c0 c1, two at the same time: a0 b0 a1 c0 a2 c1 a3
         * }</pre>
         *
         * <p>The order depends on this number and on the files alone, not on threads, of which
         * there may be more, fewer or none; of one file it is that of the file. What {@link
         * SceneSource#map} and {@link SceneSource#filter} do is then asked for by several threads
         * at once. Eight scenes of each of these files are held in memory.
         *
         * @param files at least 1; 1, one file after the other, if not set
         * @return this
         */
        public Builder optInterleave(int files) {
            this.interleaved = files;
            return this;
        }

        /**
         * Sets that only the first scenes are used.
         *
         * @param limit at least 0; all scenes if not set
         * @return this
         */
        public Builder optLimit(long limit) {
            this.limit = limit;
            return this;
        }

        /**
         * Builds the data set.
         *
         * @return the data set
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public SceneStreamDataset build() {
            if (source == null) {
                throw new IllegalArgumentException(WHO + ": the source is missing");
            }
            Check.option(batchSize > 0, WHO + ": batchSize must be at least 1, got " + batchSize);
            Check.option(
                    bufferSize > 0, WHO + ": bufferSize must be at least 1, got " + bufferSize);
            Check.option(
                    interleaved > 0,
                    WHO + ": interleaved files must be at least 1, got " + interleaved);
            Check.option(limit >= 0, WHO + ": limit must be at least 0, got " + limit);
            return new SceneStreamDataset(this, source);
        }
    }
}
