package org.slotwise.data.file;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.internal.Check;
import org.slotwise.internal.OptionalArtifact;
import org.slotwise.internal.ReadAhead;

/**
 * Reads DeepMind's Multi-Object Datasets in the files in which they are published: CLEVR with
 * masks, Multi-dSprites and Tetrominoes.
 *
 * <p>Source: Kabra et al. 2019, <a
 * href="https://github.com/google-deepmind/multi_object_datasets">Multi-Object Datasets</a>. The
 * files are TFRecord files in GZIP; those without GZIP are read too. The checksums of each record
 * are verified. Needs {@code com.google.protobuf:protobuf-java}, which this library declares as
 * optional: add it to your own dependencies.
 *
 * <pre>{@code
 * SceneSource clevr6 = new TfRecordScenes(SceneFormat.CLEVR_WITH_MASKS, file)
 *         .filter(scene -> scene.objectCount() <= 6)
 *         .map(scene -> scene.crop(Crop.CLEVR).resize(128, 128));
 * }</pre>
 *
 * <p>A GZIP file can only be read from its start, so these scenes come as a stream: {@link
 * SceneStreamDataset} trains on them in bounded memory. A few of them, a test set for instance, can
 * be kept with {@code Scenes.of(source.open().limit(320).toList())}.
 *
 * <p>The label of a pixel is the number of the entity that has it, 0 for the background. The number
 * of objects is that of the visible entities without the background. A file that is damaged, cut
 * short or of another format ends the stream with an {@link UncheckedIOException} whose cause, a
 * {@link SceneFileException}, says which file and which record.
 */
public final class TfRecordScenes implements SceneSource {

    /** How many records are unpacked ahead. */
    private static final int AHEAD = 2;

    private static final byte[] NONE = {};

    private final SceneFormat format;
    private final List<Path> files;

    /**
     * Names the files.
     *
     * @param format what a record holds
     * @param files one file, or the parts of a data set in their order
     * @throws IllegalArgumentException if there is no file
     * @throws IllegalStateException if protobuf is not on the class path
     */
    public TfRecordScenes(SceneFormat format, List<Path> files) {
        Check.option(!files.isEmpty(), "TfRecordScenes: there must be at least one file");
        OptionalArtifact.PROTOBUF.require("TfRecordScenes", "TFRecord files need protobuf");
        this.format = format;
        this.files = List.copyOf(files);
    }

    /**
     * Names the file.
     *
     * @param format what a record holds
     * @param file the file
     * @throws IllegalStateException if protobuf is not on the class path
     */
    public TfRecordScenes(SceneFormat format, Path file) {
        this(format, List.of(file));
    }

    /** {@inheritDoc} */
    @Override
    public Stream<Scene> open() throws IOException {
        return SceneStream.of(files, file -> new Records(file, null));
    }

    /**
     * {@inheritDoc}
     *
     * <p>A thread unpacks the next two records, while the one before is taken apart.
     */
    @Override
    public Stream<Scene> open(Executor executor) throws IOException {
        return SceneStream.of(files, file -> new Records(file, executor));
    }

    /**
     * {@inheritDoc}
     *
     * @return the files
     */
    @Override
    public List<SceneSource> parts() {
        return files.stream().<SceneSource>map(file -> new TfRecordScenes(format, file)).toList();
    }

    /** The scenes of a file. */
    private final class Records implements SceneStream.Reader {
        private final Path file;
        private final TfRecordReader reader;
        private final ReadAhead<byte[]> records;

        /** Arrays of records that were taken apart. */
        private final Queue<byte[]> spare = new ConcurrentLinkedQueue<>();

        private long taken;

        Records(Path file, @Nullable Executor executor) throws IOException {
            this.file = file;
            reader = new TfRecordReader(file, format.mostBytes());
            records = new ReadAhead<>(this::record, AHEAD, executor);
            records.start();
        }

        private byte @Nullable [] record() throws IOException {
            byte[] room = spare.poll();
            return reader.next(room == null ? NONE : room);
        }

        @Override
        public @Nullable Scene next() throws IOException {
            byte[] data = records.next();
            if (data == null) {
                return null;
            }
            try {
                Scene scene = format.scene(new TfExample(data));
                spare.add(data);
                taken++;
                return scene;
            } catch (InvalidProtocolBufferException e) {
                throw SceneFileException.inRecord(
                        file, taken, "not a scene of " + format.name() + ": " + e.getMessage(), e);
            }
        }

        @Override
        public void close() throws IOException {
            records.close();
            reader.close();
        }
    }
}
