package org.slotwise.distance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

/**
 * What the distances need of a set of pictures: the moments of all features, and a sample of them.
 * Pictures are read and looked at batch by batch; memory does not grow with their number beyond the
 * sample.
 *
 * <pre>{@code
 * try (PictureFeatures features = PictureFeatures.inception(file);
 *         FeatureCollection real = new FeatureCollection(10_000, 0);
 *         FeatureCollection made = new FeatureCollection(10_000, 0)) {
 *     real.addAll(PictureFolder.asStored(realFolder), features, 32, manager, done -> {});
 *     made.addAll(PictureFolder.asStored(madeFolder), features, 32, manager, done -> {});
 *     System.out.println(FrechetDistance.of(real.statistics(), made.statistics()));
 * }
 * }</pre>
 *
 * <p>Close it.
 */
public final class FeatureCollection implements AutoCloseable {

    private static final String WHO = "FeatureCollection";

    private final FeatureMoments moments = new FeatureMoments();
    private final FeatureSample sample;

    /**
     * Begins with no pictures.
     *
     * @param sampleSize of how many pictures features are kept at most, at least 2
     * @param seed what decides of which
     * @throws IllegalArgumentException if the size is below 2
     */
    public FeatureCollection(int sampleSize, long seed) {
        sample = new FeatureSample(sampleSize, seed);
    }

    /**
     * Adds the features of some pictures.
     *
     * @param features (B, d)
     * @return this
     * @throws IllegalArgumentException as {@link FeatureMoments#add} and {@link FeatureSample#add};
     *     nothing is added then
     */
    public FeatureCollection add(NDArray features) {
        float[] values = sample.check(features);
        moments.add(features);
        sample.keep(values, values.length / (int) features.getShape().get(0));
        return this;
    }

    /**
     * Adds all pictures of a set.
     *
     * @param pictures of any sizes; a folder's by {@code PictureFolder.asStored}, which reads them
     *     as clean-fid does
     * @param features what looks at them
     * @param batch how many at once, at least 1
     * @param manager on whose device the network gets images; nothing is left in it
     * @param progress is told after each batch how many of these pictures are done
     * @return this
     * @throws IOException if a picture cannot be read; those before it are added
     * @throws IllegalArgumentException if the batch is below 1, or features are not finite
     */
    public FeatureCollection addAll(
            Scenes pictures,
            PictureFeatures features,
            int batch,
            NDManager manager,
            LongConsumer progress)
            throws IOException {
        Check.atLeast(WHO, "batch", batch, 1);
        for (long from = 0; from < pictures.size(); from += batch) {
            long to = Math.min(pictures.size(), from + batch);
            List<Scene> some = new ArrayList<>();
            for (long i = from; i < to; i++) {
                some.add(pictures.get(i));
            }
            try (NDManager own = manager.newSubManager()) {
                add(features.extract(own, some));
            }
            progress.accept(to);
        }
        return this;
    }

    /**
     * How many pictures were added.
     *
     * @return n
     */
    public long count() {
        return moments.count();
    }

    /**
     * Mean and covariance of all features.
     *
     * @return the statistics
     * @throws IllegalStateException if there are fewer than two pictures
     */
    public FeatureStatistics statistics() {
        return moments.statistics();
    }

    /**
     * The features that were kept, of all pictures or as many as are kept.
     *
     * @param manager what owns the result
     * @return (at most the sample's size, d) float32
     * @throws IllegalStateException if no picture was added
     */
    public NDArray sample(NDManager manager) {
        return sample.features(manager);
    }

    /** Frees the memory. */
    @Override
    public void close() {
        moments.close();
    }
}
