package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.internal.Check;
import org.slotwise.internal.OptionalArtifact;

/**
 * Pictures, and masks if there are some, from the columns of Parquet files.
 *
 * <p>A column holds in each row a picture as its file has it: bytes, {@code BLOB}, or as Hugging
 * Face's data sets have it (source: the feature {@code Image} of <a
 * href="https://github.com/huggingface/datasets">datasets</a>):
 *
 * <pre>{@code
 * image   STRUCT(bytes BLOB, path VARCHAR)
 * }</pre>
 *
 * <p>of which no file is read at the path: a row that has nothing but a path is an error. Pictures
 * and masks are read, cut and resized as {@link ImageFolder} describes.
 *
 * <p>Rows come in the order of the files, as a stream: {@link SceneStreamDataset} trains on them in
 * bounded memory. In memory are 32 MiB of rows, or one if it has more, and in native memory the row
 * group that they belong to; files with row groups of many gigabytes are read slowly, since a group
 * is gone through for each 32 MiB of it.
 *
 * <p>Needs {@code org.duckdb:duckdb_jdbc}, which this library declares as optional, since it weighs
 * 80 MB: add it to your own dependencies.
 *
 * <p>What is damaged or cut short, and a row that has no picture or no mask, ends the stream with
 * an {@link java.io.UncheckedIOException} whose cause, a {@link SceneFileException}, says which
 * file and which row, counted from 0. A changed byte in a JPEG can go unnoticed.
 */
public final class ParquetScenes implements NamedSource {

    private static final String WHO = "ParquetScenes";

    private final List<Path> files;
    private final List<String> columns;
    private final PictureScenes pictures;

    private ParquetScenes(List<Path> files, List<String> columns, PictureScenes pictures) {
        this.files = files;
        this.columns = columns;
        this.pictures = pictures;
    }

    /**
     * As {@link #open}, with names.
     *
     * @return the scenes, each with the path that is stored beside its picture, if there is one
     * @throws IOException if the first file cannot be opened
     */
    @Override
    public Stream<NamedScene> named() throws IOException {
        return SceneStream.named(files, Rows::new);
    }

    /**
     * {@inheritDoc}
     *
     * @return the files; each that is read at the same time has its own 32 MiB and row group
     */
    @Override
    public List<SceneSource> parts() {
        return files.stream()
                .<SceneSource>map(file -> new ParquetScenes(List.of(file), columns, pictures))
                .toList();
    }

    /** The scenes of a file. */
    private final class Rows implements SceneStream.Reader {
        private final ParquetRows rows;

        Rows(Path file) throws IOException {
            rows = new ParquetRows(file, columns, ImageFile.mostBytes(pictures.maxPixels()));
        }

        @Override
        public @Nullable Scene next() throws IOException {
            byte[][] row = rows.next();
            return row == null
                    ? null
                    : pictures.read(encoded(row, 0), row.length == 1 ? null : encoded(row, 1));
        }

        @Override
        public @Nullable String name() {
            return rows.name();
        }

        private PictureScenes.Encoded encoded(byte[][] row, int column) {
            return new PictureScenes.Encoded(rows.place(column), row[column]);
        }

        @Override
        public void close() throws IOException {
            rows.close();
        }
    }

    /**
     * Starts the description of files.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link ParquetScenes}. */
    public static final class Builder {
        private List<Path> files = List.of();
        private String images = "image";
        private @Nullable String masks;
        private int voidLabel = PictureScenes.NO_VOID;
        private int height;
        private int width;
        private long maxPixels = ImageFile.MOST_PIXELS;
        private PictureFit fit = PictureFit.CROP;

        private Builder() {}

        /**
         * Sets the files.
         *
         * @param files at least one, in the order in which they are read
         * @return this
         */
        public Builder setFiles(List<Path> files) {
            this.files = List.copyOf(files);
            return this;
        }

        /**
         * Sets the size that pictures and masks are brought to.
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
         * Sets which column holds the pictures.
         *
         * @param column its name; "image" if not set
         * @return this
         */
        public Builder optImages(String column) {
            images = column;
            return this;
        }

        /**
         * Sets which column holds the masks.
         *
         * @param column its name, such as "mask"; no masks if not set
         * @return this
         */
        public Builder optMasks(String column) {
            masks = column;
            return this;
        }

        /**
         * Sets which label of a mask means that a pixel belongs to nothing. A {@link SceneDataset}
         * gives -1 for it, which metrics leave out. Masks must have one channel.
         *
         * @param label from 0 to 255, such as 255; none if not set
         * @return this
         */
        public Builder optVoid(int label) {
            voidLabel = PictureScenes.checkedVoid(WHO, label);
            return this;
        }

        /**
         * Sets how pictures of other proportions come to that size.
         *
         * @param fit {@link PictureFit#CROP} if not set
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Sets how many pixels a picture or a mask may declare.
         *
         * @param maxPixels at least 1; 33554432 if not set
         * @return this
         */
        public Builder optMaxPixels(long maxPixels) {
            this.maxPixels = maxPixels;
            return this;
        }

        /**
         * Builds the source. Files are opened when their turn comes.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws IllegalStateException if DuckDB is not on the class path
         */
        public ParquetScenes build() {
            Check.option(!files.isEmpty(), WHO + ": there must be at least one file");
            OptionalArtifact.DUCKDB.require(WHO, "Parquet files need DuckDB");
            return new ParquetScenes(
                    files,
                    masks == null ? List.of(images) : List.of(images, masks),
                    PictureScenes.of(WHO, height, width, voidLabel, maxPixels).with(fit));
        }
    }
}
