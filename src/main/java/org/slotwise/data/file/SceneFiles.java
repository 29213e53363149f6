package org.slotwise.data.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

/**
 * Whatever scenes lie at a path, in one size: for programs that are given a path and no more.
 *
 * <p>What it is is told by its content, or in folders by names:
 *
 * <pre>{@code
 * a folder of pictures, masks in another folder, in images/ and masks/, or beside them (a.jpg, a_mask.png)   ImageFolder
 * a folder with CLEVRTEX_full_000000.png                                                                     ClevrTexScenes
 * CLEVR's folder, or scenes/CLEVR_train_scenes.json beside images/train                                      ClevrScenes
 * a tar archive, or a folder of shards: train-000000.tar, .tar.gz                                            WebDatasetScenes
 * a Parquet file, or a folder of parts                                                                       ParquetScenes
 * an HDF5 file with arrays of a Hdf5Format                                                                   Hdf5Scenes
 * a TFRecord file of the Multi-Object Datasets, or a folder of parts                                         TfRecordScenes
 * }</pre>
 *
 * <p>All are brought to one size as {@link ImageFolder} describes, but for CLEVR, whose pictures
 * are resized as a whole, unless one {@linkplain Builder#optFit fit} is set for all. What fits
 * several of these is an error that says so, and not a guess. Each reader has options that are not
 * here.
 *
 * <p>Some can be had in any order: {@link #scenes} then has them for a {@link SceneDataset}; the
 * others only from their start, for a {@link SceneStreamDataset}. Close it.
 */
public final class SceneFiles implements SceneSource, Closeable {

    private static final String WHO = "SceneFiles";
    private static final String KNOWN =
            "a folder of pictures (PNG, JPEG, BMP, GIF, and WebP with its reader), ClevrTex, CLEVR, tar shards of"
                    + " WebDataset, Parquet, HDF5 or TFRecord";

    private final Kind kind;
    private final boolean masks;
    private final SceneSource source;
    private final @Nullable Closeable file;

    /** What can be read. */
    public enum Kind {
        /** A folder of pictures. */
        PICTURES,
        /** ClevrTex. */
        CLEVRTEX,
        /** CLEVR. */
        CLEVR,
        /** Tar shards. */
        WEBDATASET,
        /** Parquet. */
        PARQUET,
        /** HDF5. */
        HDF5,
        /** TFRecord. */
        TFRECORD
    }

    /**
     * What was recognized.
     *
     * @param masks whether scenes have masks
     * @param file what is to be closed; null if nothing is
     */
    record Found(Kind kind, boolean masks, SceneSource source, @Nullable Closeable file) {}

    private SceneFiles(Found found) {
        kind = found.kind();
        masks = found.masks();
        source = found.source();
        file = found.file();
    }

    /**
     * Opens what lies at a path. The same as a builder without options.
     *
     * @param path a file or a folder
     * @param height of the scenes in pixels, at least 1
     * @param width of the scenes in pixels, at least 1
     * @return the scenes, to be closed
     * @throws IllegalArgumentException if a size is below 1
     * @throws IllegalStateException if a library that is needed is not on the class path
     * @throws SceneFileException if nothing is there that is known, or more than one thing; the
     *     message says what can be read
     * @throws IOException if it cannot be read
     */
    public static SceneFiles open(Path path, int height, int width) throws IOException {
        return builder().setPath(path).setSize(height, width).build();
    }

    /**
     * What it is.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Whether the scenes have masks.
     *
     * @return true if each has one, or with {@link Builder#optPartlyMasked} at least one
     */
    public boolean haveMasks() {
        return masks;
    }

    /**
     * The scenes as some that can be had in any order.
     *
     * @return the scenes; empty if they can only be read from the start
     */
    public Optional<Scenes> scenes() {
        return source instanceof Scenes scenes ? Optional.of(scenes) : Optional.empty();
    }

    /** {@inheritDoc} */
    @Override
    public Stream<Scene> open() throws IOException {
        return source.open();
    }

    /** {@inheritDoc} */
    @Override
    public Stream<Scene> open(Executor executor) throws IOException {
        return source.open(executor);
    }

    /**
     * {@inheritDoc}
     *
     * @return the files, if there are several of them to be read from their start
     */
    @Override
    public List<SceneSource> parts() {
        return source.parts();
    }

    /**
     * As {@link #open}, with what the files call their pictures.
     *
     * @return the scenes with their names, for {@link Kind#PICTURES}, {@link Kind#TFRECORD} and
     *     {@link Kind#HDF5} without one: a folder's files are those of {@link ImageFolder#file}
     * @throws IOException if the first file cannot be opened
     */
    public Stream<NamedScene> named() throws IOException {
        return source instanceof NamedSource known
                ? known.named()
                : source.open().map(scene -> new NamedScene(scene, null));
    }

    /** Closes the file, where one is open. */
    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }

    /**
     * Starts the description of what is to be opened.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link SceneFiles}. */
    public static final class Builder {
        private @Nullable Path path;
        private @Nullable Path masks;
        private @Nullable PictureFit fit;
        private int voidLabel = PictureScenes.NO_VOID;
        private boolean partlyMasked;
        private int height;
        private int width;

        private Builder() {}

        /**
         * Sets where the scenes lie.
         *
         * @param path a file or a folder
         * @return this
         */
        public Builder setPath(Path path) {
            this.path = path;
            return this;
        }

        /**
         * Sets the size that scenes are brought to.
         *
         * @param height in pixels, at least 1
         * @param width in pixels, at least 1
         * @return this
         */
        public Builder setSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets the folder of the masks of a folder of pictures: {@code a_mask.png}, {@code
         * a_masks.png}, {@code a_seg.png} or {@code a_flat.png} for {@code a.jpg} where there are
         * such files, else {@code a.png}.
         *
         * @param masks as {@link ImageFolder.Builder#optMasks} takes it; those that lie with the
         *     pictures, if there are some, if not set
         * @return this
         */
        public Builder optMasks(Path masks) {
            this.masks = masks;
            return this;
        }

        /**
         * Sets whether pictures in folders may lack masks where others have some: their scenes have
         * none.
         *
         * @param partly true if they may; an error where a mask is missing if not set
         * @return this
         */
        public Builder optPartlyMasked(boolean partly) {
            partlyMasked = partly;
            return this;
        }

        /**
         * Sets how pictures of other proportions come to that size, that of the model that they are
         * for.
         *
         * @param fit if not set {@link PictureFit#CROP}, for CLEVR {@link PictureFit#SQUEEZE}
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Sets which label of a mask means that a pixel belongs to nothing.
         *
         * @param label from 0 to 255, such as 255; none if not set
         * @return this
         */
        public Builder optVoid(int label) {
            voidLabel = PictureScenes.checkedVoid(WHO, label);
            return this;
        }

        private static String nothing(Path path) throws IOException {
            if (Files.isDirectory(path)) {
                try (Stream<Path> files = Files.list(path)) {
                    return files.findAny().isEmpty()
                            ? "this folder is empty"
                            : "nothing is known here";
                }
            }
            String name = String.valueOf(path.getFileName());
            if (name.toLowerCase(Locale.ROOT).endsWith(".zip")) {
                return "a .zip is not read: unpack it, or make a .tar of what is in it";
            }
            return PictureKind.isNamed(name)
                    ? "this is one picture, and not a folder of them"
                    : "nothing is known here";
        }

        /**
         * Opens it.
         *
         * @return the scenes, to be closed
         * @throws IllegalArgumentException if an option is missing or out of range, or does not go
         *     with what is there
         * @throws IllegalStateException if a library that is needed is not on the class path
         * @throws SceneFileException if nothing is there that is known, or more than one thing
         * @throws IOException if it cannot be read
         */
        public SceneFiles build() throws IOException {
            if (path == null) {
                throw new IllegalArgumentException(WHO + ": the path is missing");
            }
            PictureScenes size =
                    PictureScenes.of(WHO, height, width, voidLabel, ImageFile.MOST_PIXELS);
            if (fit != null) {
                size = size.with(fit);
            }
            FileOpening files = new FileOpening(size, fit == null ? PictureFit.SQUEEZE : fit);
            boolean folder = Files.isDirectory(path);
            Check.option(
                    folder || masks == null,
                    WHO + ": a folder of masks needs a folder of pictures, got the file " + path);
            Found found =
                    folder
                            ? new FolderOpening(path, masks, partlyMasked, size, files).found()
                            : files.found(path);
            if (found == null) {
                throw new SceneFileException(
                        path, nothing(path) + "; what is read: " + KNOWN, null);
            }
            return new SceneFiles(found);
        }
    }
}
