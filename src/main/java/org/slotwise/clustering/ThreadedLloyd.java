package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.Workers;

/**
 * {@link Lloyd} for features in float32 on a CPU: start after start, several at a time where there
 * are threads.
 *
 * <p>All that a start needs stays in a processor's cache, no start waits for another, and nothing
 * is computed for one that has ended; as operations on a batch ({@link BatchedLloyd}) the scores of
 * all features and centres are written and read several times in each round.
 */
final class ThreadedLloyd {

    private final FloatBuffer features;
    private final FloatBuffer initial;
    private final LloydCourse course;
    private final int startsPerImage;
    private final int clusters;
    private final int size; // N
    private final int featureSize; // F
    private final Image[] images;

    // Where the starts ended.
    private final float[] centers;
    private final float[] labels;
    private final long[] iterations;
    private final double[] gains;

    private ThreadedLloyd(NDArray features, NDArray initial, LloydCourse course) {
        this.features = ArrayMemory.floats(features);
        this.initial = ArrayMemory.floats(initial);
        this.course = course;
        Shape s = initial.getShape();
        images = new Image[Math.toIntExact(s.get(0))];
        startsPerImage = Math.toIntExact(s.get(1));
        clusters = Math.toIntExact(s.get(2));
        featureSize = Math.toIntExact(s.get(3));
        size = Math.toIntExact(features.getShape().get(1));
        for (int b = 0; b < images.length; b++) {
            images[b] = new Image(b);
        }
        int starts = Math.multiplyExact(images.length, startsPerImage);
        centers = new float[Math.toIntExact(initial.size())];
        labels = new float[Math.multiplyExact(starts, size)];
        iterations = new long[starts];
        gains = new double[starts];
    }

    /** As {@link Lloyd#run}. */
    static Lloyd.Result run(NDArray features, NDArray initial, LloydCourse course) {
        ThreadedLloyd lloyd = new ThreadedLloyd(features, initial, course);
        Workers.each(lloyd.gains.length, lloyd::worker);
        NDManager owner = features.getManager();
        long starts = lloyd.gains.length;
        return new Lloyd.Result(
                owner.create(lloyd.centers, new Shape(starts, lloyd.centers.length / starts)),
                owner.create(lloyd.labels, new Shape(starts, lloyd.size)),
                lloyd.iterations,
                lloyd.gains);
    }

    private IntConsumer worker() {
        LloydStart state = new LloydStart(size, clusters, featureSize);
        float[] from = new float[clusters * featureSize];
        return start -> {
            Image image = images[start / startsPerImage];
            initial.get(start * from.length, from);
            state.run(image.points(), from, image.number, course);
            image.done();
            state.copyTo(centers, start * from.length, labels, start * size);
            iterations[start] = state.iterations();
            gains[start] = state.gain();
        };
    }

    /** An image's features, which are there while its starts run. */
    private final class Image {
        private final int number;
        private int left = startsPerImage;
        private @Nullable Points points;

        Image(int number) {
            this.number = number;
        }

        synchronized Points points() {
            if (points == null) {
                points = Points.read(features, number * size, size, featureSize);
            }
            return points;
        }

        synchronized void done() {
            if (--left == 0) {
                points = null;
            }
        }
    }

    /**
     * The features of an image both ways, for loops over either. An odd number of elements is made
     * even by zeros.
     */
    static final class Points {

        /** As many rows as columns are written of at once: a cache line of each. */
        private static final int BLOCK = 16;

        /** (N)(F). */
        final float[][] rows;

        /** (F)(N). */
        final float[][] columns;

        private Points(int size, int width) {
            rows = new float[size][width];
            columns = new float[width][size];
        }

        static Points read(FloatBuffer from, int first, int size, int featureSize) {
            Points points = new Points(size, ColumnProducts.width(featureSize));
            for (int block = 0; block < size; block += BLOCK) {
                int end = Math.min(size, block + BLOCK);
                for (int j = block; j < end; j++) {
                    from.get((first + j) * featureSize, points.rows[j], 0, featureSize);
                }
                for (int f = 0; f < featureSize; f++) {
                    for (int j = block; j < end; j++) {
                        points.columns[f][j] = points.rows[j][f];
                    }
                }
            }
            return points;
        }
    }
}
