package org.slotwise.examples.pictures;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.file.PictureFolder;
import org.slotwise.distance.FeatureCollection;
import org.slotwise.distance.FeatureStatistics;
import org.slotwise.distance.PictureFeatures;

/**
 * What is known of a set of pictures that a distance is measured to.
 *
 * @param path a folder of pictures, or a file of statistics
 * @param statistics mean and covariance of their features
 * @param collection the features themselves; null where they came from a file
 */
record SetOfPictures(
        Path path, FeatureStatistics statistics, @Nullable FeatureCollection collection)
        implements AutoCloseable {

    /** Of how many pictures features are kept for the kernel distance. */
    private static final int KEPT = 10_000;

    private static final long TELL_EVERY = Duration.ofSeconds(10).toNanos();

    /** Whether a path is that of statistics rather than pictures. */
    static boolean isStatistics(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".npz")
                && !Files.isDirectory(path);
    }

    /** Refuses what is not there, before anything takes time. */
    static void check(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new IOException(path + " does not exist");
        }
        if (!Files.isReadable(path)) {
            throw new IOException(path + " cannot be read: permission denied");
        }
        if (!Files.isDirectory(path) && !isStatistics(path)) {
            throw new IOException(path + " is no folder of pictures, nor an .npz of statistics");
        }
    }

    /**
     * Reads all pictures of a folder, or statistics from a file.
     *
     * @param out where it is told how far it is
     * @param batch how many pictures the network gets at once
     */
    static SetOfPictures of(
            Path path,
            PictureFeatures features,
            int batch,
            long seed,
            NDManager manager,
            PrintWriter out)
            throws IOException {
        if (isStatistics(path)) {
            return new SetOfPictures(path, FeatureStatistics.read(path), null);
        }
        PictureFolder pictures = PictureFolder.asStored(path);
        if (pictures.size() < 2) {
            throw new IOException(path + " has one picture; a distance needs at least 2");
        }
        FeatureCollection collection = new FeatureCollection(KEPT, seed);
        try {
            long begun = System.nanoTime();
            long[] next = {begun + TELL_EVERY};
            collection.addAll(
                    pictures,
                    features,
                    batch,
                    manager,
                    done -> {
                        long now = System.nanoTime();
                        if (now >= next[0] && done < pictures.size()) {
                            next[0] = now + TELL_EVERY;
                            double each = (now - begun) / 1e9 / done;
                            out.printf(
                                    "%s: %d of %d pictures, about %d s left%n",
                                    path,
                                    done,
                                    pictures.size(),
                                    Math.round(each * (pictures.size() - done)));
                            out.flush();
                        }
                    });
            return new SetOfPictures(path, collection.statistics(), collection);
        } catch (IllegalArgumentException e) {
            collection.close();
            throw new IOException(path + ": " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            collection.close();
            throw e;
        }
    }

    /** How many pictures, as one says it. */
    String size() {
        long n = statistics.count();
        return n == 0 ? "an unknown number of pictures" : n + " pictures";
    }

    @Override
    public void close() {
        if (collection != null) {
            collection.close();
        }
    }
}
