package org.slotwise.data.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;
import org.slotwise.internal.OptionalArtifact;

/**
 * Scenes of an HDF5 file, the form into which the Multi-Object Datasets are commonly converted.
 *
 * <p>The names of arrays in data sets as they are published are those of a {@link Hdf5Format}.
 *
 * <p>Images are (N, H, W, 3), masks (N, E, H, W, 1), for N scenes with E masks each.
 *
 * <p>Images may also be grey, (N, H, W, 1), and are then read as red, green and blue of one value.
 * Masks may also be (N, E, H, W), or labels (N, H, W) or (N, H, W, 1) with whole numbers from 0 to
 * 255. A pixel gets the entity whose mask is largest there, the first of equals, where entity 0 is
 * the background. Elements are integers of up to 64 bits (one byte counts as unsigned), float32 or
 * float64; what rounding took out of its range by a millionth of it is taken back. The number of
 * objects is the number of labels that occur, without the background and the void label.
 *
 * <p>One scene at a time is read, whatever the file's size; only the index of a chunked array is
 * kept in memory. A record, and a chunk, may have 128 MiB. May be used from several threads. Needs
 * {@code io.jhdf:jhdf}, which this library declares as optional: add it to your own dependencies.
 *
 * <p>Names may be links, also into other files, up to 16 in a row; relative names of other files
 * count from the folder of the file that has the link.
 *
 * <p>A file that is damaged, cut short or of another form gives a {@link SceneFileException} that
 * says which file and which record. HDF5 itself has checksums for the description of the data only,
 * and for compressed data: changed bytes of plain data go unnoticed. Chunks that were never
 * written, as a conversion that was broken off leaves them, are an error. jHDF reads what HDF5 1.14
 * and earlier write; of the newest form of HDF5 2.0 ({@code libver="latest"} in h5py) it does not
 * know chunked arrays yet.
 */
public final class Hdf5Scenes implements Scenes, Closeable {

    private static final String WHO = "Hdf5Scenes";

    /** How far a value may be outside of what it must be, since it was rounded. */
    static final double ROUNDING = 1e-6;

    private final Path file;
    private final Hdf5Tree tree;
    private final Hdf5Array images;
    private final @Nullable Hdf5Masks masks;
    private final @Nullable Hdf5Objects objects;
    private final double white;
    private final int height;
    private final int width;
    private final boolean grey;

    private Hdf5Scenes(Builder builder, Path file, String imagesName) throws IOException {
        this.file = file;
        white = builder.white;
        tree = new Hdf5Tree(file);
        try {
            images = array(imagesName);
            grey = images.hasRecords(-1, -1, 1);
            boolean fits = grey || images.hasRecords(-1, -1, 3);
            if (!fits || images.shape()[1] == 0 || images.shape()[2] == 0) {
                throw new SceneFileException(
                        file,
                        "images '"
                                + imagesName
                                + "' must be (N, H, W, 3), got "
                                + images.shapeText(),
                        null);
            }
            height = (int) images.shape()[1];
            width = (int) images.shape()[2];
            masks =
                    builder.masks == null
                            ? null
                            : new Hdf5Masks(file, array(builder.masks), images, builder.voidLabel);
            objects = objects(builder);
        } catch (IOException | RuntimeException e) {
            tree.close();
            throw e;
        }
    }

    private @Nullable Hdf5Objects objects(Builder builder) throws IOException {
        if (builder.counts != null) {
            return Hdf5Objects.counted(file, array(builder.counts), size());
        }
        return builder.properties == null
                ? null
                : Hdf5Objects.described(file, array(builder.properties), size());
    }

    private Hdf5Array array(String name) throws IOException {
        return Hdf5File.guarded(file, "cannot be read as HDF5", () -> new Hdf5Array(tree, name));
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return images.shape()[0];
    }

    /**
     * {@inheritDoc}
     *
     * @throws SceneFileException if the record is damaged, or a value out of range
     */
    @Override
    public Scene get(long index) throws IOException {
        Objects.checkIndex(index, size());
        byte[] image = image(index);
        byte[] rgb = grey ? EntityMasks.tripled(image) : image;
        Scene scene =
                masks == null
                        ? new Scene(height, width, rgb)
                        : masks.scene(height, width, rgb, index);
        return objects == null ? scene : objects.added(scene, index);
    }

    private byte[] image(long index) throws IOException {
        if (images.isBytes() && white == 255) {
            return images.bytes(index);
        }
        Hdf5Array.Numbers values = images.numbers(index);
        byte[] image = new byte[height * width * (grey ? 1 : 3)];
        for (int i = 0; i < image.length; i++) {
            double value = values.at(i) / white;
            if (!(value >= -ROUNDING && value <= 1 + ROUNDING)) {
                throw new SceneFileException(
                        file,
                        index,
                        "an image's value must be in [0, " + white + "], got " + values.at(i));
            }
            image[i] = (byte) Math.round(255 * Math.min(1, Math.max(0, value)));
        }
        return image;
    }

    /** Closes the file. */
    @Override
    public void close() throws IOException {
        tree.close();
    }

    /**
     * Starts the description of a file.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link Hdf5Scenes}. */
    public static final class Builder {
        private @Nullable Path file;
        private @Nullable String images;
        private @Nullable String masks;
        private double white = 255;
        private @Nullable Integer voidLabel;
        private @Nullable String counts;
        private @Nullable String properties;

        private Builder() {}

        /**
         * Sets the file.
         *
         * @param file an HDF5 file
         * @return this
         */
        public Builder setFile(Path file) {
            this.file = file;
            return this;
        }

        /**
         * Sets which array holds the images.
         *
         * @param images its name with those of its groups, such as "train/imgs"
         * @return this
         */
        public Builder setImages(String images) {
            this.images = images;
            return this;
        }

        /**
         * Sets the names of all arrays of a data set as it is published.
         *
         * @param format such as {@link Hdf5Format#SHAPES_3D}
         * @return this
         */
        public Builder setFormat(Hdf5Format format) {
            images = format.images();
            masks = format.masks();
            counts = format.counts();
            properties = format.properties();
            return this;
        }

        /**
         * Sets which array holds the masks.
         *
         * @param masks its name with those of its groups; no masks if not set
         * @return this
         */
        public Builder optMasks(String masks) {
            this.masks = masks;
            return this;
        }

        /**
         * Sets which value of an image's element is the brightest.
         *
         * @param white above 0, such as 1 for images in [0, 1]; 255 if not set
         * @return this
         */
        public Builder optWhite(double white) {
            this.white = white;
            return this;
        }

        /**
         * Sets which label means that a pixel belongs to nothing, neither to an object nor to the
         * background. A data set gives -1 for it, which metrics leave out. Masks must be labels.
         *
         * @param label from -1 to 255, such as -1 or 255; none if not set
         * @return this
         */
        public Builder optVoid(int label) {
            Check.option(
                    label >= -1 && label <= 255,
                    WHO + ": the void label must be -1 to 255, got " + label);
            voidLabel = label;
            return this;
        }

        /**
         * Sets which array says how many objects there are, those that others hide included.
         *
         * @param counts the name of whole numbers (M), of which each is that of N / M scenes in a
         *     row, such as views of the same objects; or of visibilities (N, E), above 0 for each
         *     entity that the scene has, the background first. The labels that occur are counted if
         *     not set
         * @return this
         */
        public Builder optCounts(String counts) {
            this.counts = counts;
            return this;
        }

        /**
         * Sets which array says what the objects are: {@link Scene#properties}.
         *
         * @param properties the name of numbers (N, K, P) of K objects, or (N, P) of one; none if
         *     not set. The objects of a scene are then K, or 1
         * @return this
         */
        public Builder optProperties(String properties) {
            this.properties = properties;
            return this;
        }

        /**
         * Opens the file.
         *
         * @return the scenes, to be closed
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws IllegalStateException if jHDF is not on the class path
         * @throws SceneFileException if the file is damaged, or has no such arrays
         * @throws IOException if the file cannot be opened
         */
        public Hdf5Scenes build() throws IOException {
            if (file == null) {
                throw new IllegalArgumentException("Hdf5Scenes: the file is missing");
            }
            if (images == null) {
                throw new IllegalArgumentException("Hdf5Scenes: the name of the images is missing");
            }
            Check.option(
                    white > 0 && white < Double.POSITIVE_INFINITY,
                    "Hdf5Scenes: white must be above 0 and finite, got " + white);
            Check.option(
                    counts == null || properties == null,
                    "Hdf5Scenes: properties say how many objects there are; counts must not be set"
                            + " as well");
            OptionalArtifact.JHDF.require(WHO, "HDF5 files need jHDF");
            return new Hdf5Scenes(this, file, images);
        }
    }
}
