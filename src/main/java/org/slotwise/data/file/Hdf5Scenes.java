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
 * <p>Names and shapes of two such conversions, with N scenes and E masks for each:
 *
 * <pre>{@code
 *                                      images (N, H, W, 3)   masks (N, E, H, W, 1)
 * EfficientMORL's clevr6_with_masks    "train/imgs"          "train/masks"           also "test/...", "val/..."
 * multi_object_datasets_torch          "image"               "mask"
 * }</pre>
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
    private static final double ROUNDING = 1e-6;

    private final Path file;
    private final Hdf5Tree tree;
    private final Hdf5Array images;
    private final @Nullable Hdf5Array masks;
    private final double white;
    private final @Nullable Integer voidLabel;
    private final int height;
    private final int width;
    private final boolean grey;

    private Hdf5Scenes(Builder builder, Path file, String imagesName) throws IOException {
        this.file = file;
        white = builder.white;
        voidLabel = builder.voidLabel;
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
            masks = builder.masks == null ? null : array(builder.masks);
            if (masks != null) {
                checkMasks(masks);
            }
        } catch (IOException | RuntimeException e) {
            tree.close();
            throw e;
        }
    }

    private Hdf5Array array(String name) throws IOException {
        return Hdf5File.guarded(file, "cannot be read as HDF5", () -> new Hdf5Array(tree, name));
    }

    private void checkMasks(Hdf5Array masks) throws IOException {
        boolean fits =
                masks.shape().length > 0
                        && masks.shape()[0] == images.shape()[0]
                        && (isLabels(masks)
                                || masks.hasRecords(-1, height, width, 1)
                                || masks.hasRecords(-1, height, width));
        if (!fits) {
            String size = height + ", " + width;
            throw new SceneFileException(
                    file,
                    String.format(
                            "masks '%s' must be (N, E, %s, 1), (N, E, %s) or (N, %s) with N %d, got"
                                    + " %s",
                            masks.name(), size, size, size, size(), masks.shapeText()),
                    null);
        }
        if (!isLabels(masks) && voidLabel != null) {
            throw new SceneFileException(
                    file,
                    "a void label needs labels (N, H, W), and masks '"
                            + masks.name()
                            + "' are "
                            + masks.shapeText(),
                    null);
        }
        if (!isLabels(masks) && masks.shape()[1] > 256) {
            throw new SceneFileException(
                    file, "at most 256 masks a scene, got " + masks.shape()[1], null);
        }
    }

    private boolean isLabels(Hdf5Array masks) {
        return masks.hasRecords(height, width) || masks.hasRecords(height, width, 1);
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
        if (masks == null) {
            return new Scene(height, width, rgb);
        }
        if (!isLabels(masks)) {
            return new Scene(height, width, rgb, entities(masks, index));
        }
        Scene scene = new Scene(height, width, rgb, labels(masks, index));
        return voidLabel == null ? scene : scene.withVoid(voidLabel & 0xff);
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

    private byte[] labels(Hdf5Array masks, long index) throws IOException {
        Hdf5Array.Numbers values = masks.numbers(index);
        byte[] labels = new byte[height * width];
        for (int p = 0; p < labels.length; p++) {
            double value = values.at(p);
            double whole = Math.rint(value);
            boolean isVoid = voidLabel != null && whole == voidLabel;
            boolean fits = isVoid || (whole >= 0 && whole <= 255);
            if (!fits || !(Math.abs(value - whole) <= ROUNDING)) {
                throw new SceneFileException(
                        file, index, "a label must be a whole number from 0 to 255, got " + value);
            }
            if (!isVoid && voidLabel != null && whole == (voidLabel & 0xff)) {
                throw new SceneFileException(
                        file, index, "with the void label -1 a label must be at most 254, got 255");
            }
            labels[p] = (byte) (int) whole;
        }
        return labels;
    }

    /** The entity whose mask is largest, the first of equals. */
    private byte[] entities(Hdf5Array masks, long index) throws IOException {
        Hdf5Array.Numbers values = masks.numbers(index);
        byte[] labels = new byte[height * width];
        int entities = (int) masks.shape()[1];
        for (int p = 0; p < labels.length; p++) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int e = 0; e < entities; e++) {
                double value = values.at(e * labels.length + p);
                if (Double.isNaN(value)) {
                    throw new SceneFileException(file, index, "a mask's value must not be NaN");
                }
                if (value > largest) {
                    largest = value;
                    labels[p] = (byte) e;
                }
            }
        }
        return labels;
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
            OptionalArtifact.JHDF.require(WHO, "HDF5 files need jHDF");
            return new Hdf5Scenes(this, file, images);
        }
    }
}
