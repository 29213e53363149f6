package org.slotwise.examples.shared;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.PictureFolder;
import org.slotwise.distance.FeatureCollection;
import org.slotwise.distance.FeatureStatistics;
import org.slotwise.distance.PictureFeatures;

/**
 * What is known of a set of pictures that a distance is measured to.
 *
 * @param name what is read or made: a folder, or a file of statistics
 * @param statistics mean and covariance of their features
 * @param collection the features themselves; null where they came from a file
 */
public record SetOfPictures(
        String name, FeatureStatistics statistics, @Nullable FeatureCollection collection)
        implements AutoCloseable {

    /** Of how many pictures features are kept for the kernel distance. */
    private static final int KEPT = 10_000;

    /** Whether a path is that of statistics rather than pictures. */
    private static boolean isStatistics(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".npz")
                && !Files.isDirectory(path);
    }

    /**
     * Refuses what is not there, before anything takes time.
     *
     * @param path a folder of pictures, or a file of statistics
     * @throws IOException if it is neither, with a message for the user
     */
    public static void check(Path path) throws IOException {
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
     * @param path the folder or file
     * @param features what looks at pictures
     * @param batch how many pictures the network gets at once
     * @param seed what decides of which pictures features are kept
     * @param manager on whose device the network gets them
     * @param out where it is told how far it is
     * @return what is known of them; to be closed
     * @throws IOException if a picture or the file cannot be read, or there is one picture alone
     */
    public static SetOfPictures of(
            Path path,
            PictureFeatures features,
            int batch,
            long seed,
            NDManager manager,
            PrintWriter out)
            throws IOException {
        return isStatistics(path)
                ? new SetOfPictures(path.toString(), FeatureStatistics.read(path), null)
                : of(
                        path.toString(),
                        PictureFolder.asStored(path),
                        features,
                        batch,
                        seed,
                        manager,
                        out);
    }

    /**
     * Looks at pictures one batch after the other: memory does not grow with their number.
     *
     * @param name what they are called
     * @param pictures at least two
     * @param features what looks at them
     * @param batch how many pictures the network gets at once
     * @param seed what decides of which pictures features are kept
     * @param manager on whose device the network gets them
     * @param out where it is told how far it is
     * @return what is known of them; to be closed
     * @throws IOException if a picture cannot be read, or there is one alone
     */
    public static SetOfPictures of(
            String name,
            Scenes pictures,
            PictureFeatures features,
            int batch,
            long seed,
            NDManager manager,
            PrintWriter out)
            throws IOException {
        if (pictures.size() < 2) {
            throw new IOException(name + " has one picture; a distance needs at least 2");
        }
        FeatureCollection collection = new FeatureCollection(KEPT, seed);
        try {
            ProgressLines progress = new ProgressLines(out, name, "pictures", pictures.size());
            collection.addAll(pictures, features, batch, manager, progress::done);
            return new SetOfPictures(name, collection.statistics(), collection);
        } catch (IllegalArgumentException e) {
            collection.close();
            throw new IOException(name + ": " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            collection.close();
            throw e;
        }
    }

    /**
     * How many pictures, as one says it.
     *
     * @return "2 pictures"
     */
    public String size() {
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
