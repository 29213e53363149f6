package org.slotwise.data.file;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/**
 * Features on disk, so that a frozen backbone sees each image once. What is read often stays in the
 * operating system's memory as long as there is room.
 *
 * <p>Source: own. Features of a vision transformer take about as much room as the images: 196
 * features of size 384 are 301 kB.
 *
 * <p>The file lies in a folder under a name that says what made it ({@link FeatureOrigin}):
 * features of another backbone, of other images or of another size come into another file. Records
 * are written in order, each with a checksum. A file that was cut short, since the process was
 * killed or the disk was full, is completed when it is opened again. A record that was damaged
 * later is refused when it is read, with the file's name: delete the file to make it anew.
 *
 * <p>Reading is safe in any number of threads and processes, and of a finished file needs no
 * permission to write. A file that is cut or overwritten while it is read gives the error of a
 * damaged record: no part of it is mapped into memory. One process writes at a time: another that
 * opens the same unfinished file meanwhile is refused.
 */
public final class FeatureCache {

    private static final String WHO = "FeatureCache";

    /** How many images are extracted at once. */
    private static final int BATCH = 8;

    /** Makes the features of some images. */
    @FunctionalInterface
    public interface Extraction {

        /**
         * Extracts features.
         *
         * @param manager the owner of whatever is made; closed afterwards
         * @param from the first image
         * @param to one more than the last image
         * @return (to - from, N, F), float32; the same N and F for all images
         * @throws IOException if an image cannot be read
         */
        NDArray extract(NDManager manager, int from, int to) throws IOException;
    }

    /**
     * What this process is writing. On some systems to close a file gives up all locks that a
     * process has on it: its own are not even opened.
     */
    private static final Set<Path> WRITING = ConcurrentHashMap.newKeySet();

    private final FeatureRecords records;

    private FeatureCache(FeatureRecords records) {
        this.records = records;
    }

    /**
     * Opens the cache for an origin; makes it, or what is missing of it, first.
     *
     * @param folder where caches lie; made if it is missing
     * @param origin what the features are of
     * @param manager whose device and engine the extraction works with
     * @param extraction makes features that are not there yet
     * @return the cache, with the features of all images of the origin
     * @throws IOException if the file or an image cannot be read or written; what was written stays
     * @throws SceneFileException if the file is not what its name says
     * @throws IllegalArgumentException if the extraction gives an array of another shape or type
     */
    public static FeatureCache open(
            Path folder, FeatureOrigin origin, NDManager manager, Extraction extraction)
            throws IOException {
        if (!Files.isDirectory(folder)) { // a link to one is refused by what makes them
            Files.createDirectories(folder);
        }
        Path file = file(folder, origin);
        Path written = folder.toRealPath().resolve(file.getFileName());
        FeatureRecords finished = finishedOrBegun(file, written, origin);
        if (finished != null) {
            return new FeatureCache(finished);
        }
        try (FileChannel channel =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE);
                FileLock lock = lock(file, channel)) {
            FeatureRecords records = complete(file, channel, origin, manager, extraction);
            assert lock.isValid();
            return new FeatureCache(records);
        } finally {
            WRITING.remove(written);
        }
    }

    /**
     * The records of a finished file; else null, and this thread alone of the process writes the
     * file.
     */
    private static synchronized @Nullable FeatureRecords finishedOrBegun(
            Path file, Path written, FeatureOrigin origin) throws IOException {
        if (WRITING.contains(written)) {
            throw writtenByAnother(file);
        }
        if (Files.exists(file)) {
            InputFile.require(file);
            FeatureRecords finished = finished(file, origin);
            if (finished != null) {
                return finished;
            }
        }
        WRITING.add(written);
        return null;
    }

    private static IOException writtenByAnother(Path file) {
        return new IOException(file + ": somebody else is writing this feature cache");
    }

    /** The records of a file that has them all, for which no lock is needed; else null. */
    private static @Nullable FeatureRecords finished(Path file, FeatureOrigin origin)
            throws IOException {
        int images = origin.images().size();
        try (FileChannel channel = FileChannel.open(file)) {
            if (channel.size() < FeatureRecords.HEADER) {
                return null;
            }
            FeatureRecords records = FeatureRecords.read(file, channel, origin.key(), images);
            boolean all = channel.size() == records.position(images);
            // Records are written in order: the last one is there when all are.
            return all && records.isWhole(images - 1, channel) ? records : null;
        }
    }

    /**
     * Where the features of an origin lie.
     *
     * @param folder where caches lie
     * @param origin what the features are of
     * @return the file, which may not be there yet
     */
    public static Path file(Path folder, FeatureOrigin origin) {
        return folder.resolve("features-" + origin.key().substring(0, 32) + ".cache");
    }

    private static FileLock lock(Path file, FileChannel channel) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw writtenByAnother(file);
        }
        return lock;
    }

    private static FeatureRecords complete(
            Path file,
            FileChannel channel,
            FeatureOrigin origin,
            NDManager manager,
            Extraction extraction)
            throws IOException {
        int images = origin.images().size();
        FeatureRecords records = null;
        int done = 0;
        if (channel.size() >= FeatureRecords.HEADER) {
            records = FeatureRecords.read(file, channel, origin.key(), images);
            done = records.fitting(channel.size());
            // A process that was killed may have left room without content.
            while (done > 0 && !records.isWhole(done - 1, channel)) {
                done--;
            }
        }
        while (done < images) {
            int to = Math.min(images, done + BATCH);
            try (NDManager sub = manager.newSubManager()) {
                NDArray features = extraction.extract(sub, done, to);
                records = check(records, file, features, to - done, origin);
                write(channel, records, features, done);
            }
            done = to;
        }
        if (records == null) {
            throw new AssertionError("an origin has images");
        }
        channel.truncate(records.position(images));
        channel.force(true);
        return records;
    }

    /** Requires features as those before; the first ones decide. */
    private static FeatureRecords check(
            @Nullable FeatureRecords before,
            Path file,
            NDArray features,
            int count,
            FeatureOrigin origin) {
        Object patches = before == null ? "N" : before.patches();
        Object dim = before == null ? "F" : before.featureDim();
        Check.shape(WHO, "features", features, count, patches, dim);
        Check.type(WHO, "features", features, DataType.FLOAT32, "");
        if (before != null) {
            return before;
        }
        Shape shape = features.getShape();
        FeatureRecords records =
                new FeatureRecords(
                        file,
                        Math.toIntExact(shape.get(1)),
                        Math.toIntExact(shape.get(2)),
                        origin.images().size(),
                        origin.key());
        Check.option(
                records.isPossible(),
                WHO + ": features of an image must have at most 256 MiB, got " + shape);
        return records;
    }

    private static void write(
            FileChannel channel, FeatureRecords records, NDArray features, int first)
            throws IOException {
        if (first == 0) {
            writeFully(records.file(), channel, records.header(), 0);
        }
        ByteBuffer numbers = features.toByteBuffer().order(ByteOrder.nativeOrder());
        int count = records.payload() / Float.BYTES;
        ByteBuffer record = FeatureRecords.allocate(records.length());
        for (int i = 0; i < features.getShape().get(0); i++) {
            record.clear();
            record.asFloatBuffer().put(numbers.asFloatBuffer().slice(i * count, count));
            ByteBuffer written = record.duplicate().limit(records.payload());
            record.putInt(records.payload(), FeatureRecords.checksum(first + i, written));
            writeFully(records.file(), channel, record, records.position(first + i));
        }
    }

    private static void writeFully(Path file, FileChannel channel, ByteBuffer bytes, long to)
            throws IOException {
        try {
            for (int start = bytes.position(); bytes.hasRemaining(); ) {
                channel.write(bytes, to + bytes.position() - start);
            }
        } catch (IOException e) {
            throw new IOException(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /**
     * How many images the cache has features of.
     *
     * @return at least 1
     */
    public int size() {
        return records.images();
    }

    /**
     * How many features an image has.
     *
     * @return N
     */
    public int patches() {
        return records.patches();
    }

    /**
     * The size of a feature.
     *
     * @return F
     */
    public int featureDim() {
        return records.featureDim();
    }

    /**
     * Reads the features of some images.
     *
     * @param manager the owner of the result, on whose device it is made
     * @param images which ones, from 0, in any order
     * @return (number of images, N, F), float32
     * @throws SceneFileException if a record is damaged
     * @throws IOException if the file cannot be read, or is gone
     * @throws IllegalArgumentException if there is no such image, or none is asked for
     */
    public NDArray read(NDManager manager, int... images) throws IOException {
        Check.option(images.length > 0, WHO + ": images must be at least one, got none");
        for (int image : images) {
            Check.option(
                    image >= 0 && image < size(),
                    WHO + ": images must be from 0 to " + (size() - 1) + ", got " + image);
        }
        int payload = records.payload();
        ByteBuffer all = manager.allocateDirect(Math.multiplyExact(images.length, payload));
        ByteBuffer record = FeatureRecords.allocate(records.length());
        InputFile.require(records.file());
        try (FileChannel channel = FileChannel.open(records.file())) {
            for (int image : images) {
                read(channel, image, record);
                int at = all.position();
                all.asFloatBuffer().put(record.asFloatBuffer().slice(0, payload / Float.BYTES));
                all.position(at + payload);
            }
        }
        Shape shape = new Shape(images.length, patches(), featureDim());
        try (NDArray shared = manager.create(all.flip().asFloatBuffer(), shape, DataType.FLOAT32)) {
            return Scalars.ownMemory(shared);
        }
    }

    /** Reads and checks a copy: the file itself may change at any time. */
    private void read(FileChannel channel, int image, ByteBuffer record) throws IOException {
        record.clear();
        if (!records.readFully(channel, image, record) || !records.isWhole(image, record)) {
            throw new SceneFileException(
                    records.file(),
                    image,
                    "the features are damaged; delete the file to make it anew");
        }
    }
}
