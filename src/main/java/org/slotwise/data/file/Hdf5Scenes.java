package org.slotwise.data.file;

import io.jhdf.HdfFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

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
 * the background. Elements are integers of up to 32 bits (one byte counts as unsigned), float32 or
 * float64. The number of objects is the number of labels that occur, without the background.
 *
 * <p>One scene at a time is read, whatever the file's size; only the index of a chunked array is
 * kept in memory. May be used from several threads. Needs {@code io.jhdf:jhdf}, which this library
 * declares as optional: add it to your own dependencies.
 *
 * <p>A file that is damaged, cut short or of another form gives a {@link SceneFileException} that
 * says which file and which record. HDF5 itself has checksums for the description of the data only,
 * and for compressed data: changed bytes of plain data go unnoticed. Chunks that were never
 * written, as a conversion that was broken off leaves them, are an error. jHDF reads what HDF5 1.14
 * and earlier write; of the newest form of HDF5 2.0 ({@code libver="latest"} in h5py) it does not
 * know chunked arrays yet.
 */
public final class Hdf5Scenes implements Scenes, Closeable {

    private final Path file;
    private final FileChannel channel;
    private final HdfFile hdf;
    private final Hdf5Array images;
    private final @Nullable Hdf5Array masks;
    private final double white;
    private final int height;
    private final int width;
    private final boolean grey;

    private Hdf5Scenes(Builder builder, Path file, String imagesName) throws IOException {
        this.file = file;
        white = builder.white;
        channel = FileChannel.open(file);
        HdfFile opened = null;
        try {
            opened = opened(file);
            hdf = opened;
            images = new Hdf5Array(file, hdf, channel, imagesName);
            grey = images.hasRecords(-1, -1, 1);
            if (!grey && !images.hasRecords(-1, -1, 3)) {
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
            masks = builder.masks == null ? null : new Hdf5Array(file, hdf, channel, builder.masks);
            if (masks != null) {
                checkMasks(masks);
            }
        } catch (IOException e) {
            close(opened, channel);
            throw e;
        } catch (RuntimeException e) { // jHDF reports damage in many ways
            close(opened, channel);
            throw new SceneFileException(file, "cannot be read as HDF5: " + Hdf5Array.reason(e), e);
        }
    }

    private static void close(@Nullable HdfFile hdf, FileChannel channel) throws IOException {
        try (channel) {
            if (hdf != null) {
                hdf.close();
            }
        }
    }

    private static HdfFile opened(Path file) throws IOException {
        try {
            return new HdfFile(file);
        } catch (RuntimeException e) {
            throw new SceneFileException(
                    file, "not a HDF5 file, or damaged at its start: " + Hdf5Array.reason(e), e);
        }
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
        return masks == null
                ? new Scene(height, width, rgb)
                : new Scene(height, width, rgb, labels(masks, index));
    }

    private byte[] image(long index) throws IOException {
        if (images.isBytes() && white == 255) {
            return images.bytes(index);
        }
        double[] values = images.numbers(index);
        byte[] image = new byte[values.length];
        for (int i = 0; i < image.length; i++) {
            double value = values[i] / white;
            if (!(value >= 0 && value <= 1)) {
                throw new SceneFileException(
                        file,
                        index,
                        "an image's value must be in [0, " + white + "], got " + values[i]);
            }
            image[i] = (byte) Math.round(255 * value);
        }
        return image;
    }

    private byte[] labels(Hdf5Array masks, long index) throws IOException {
        double[] values = masks.numbers(index);
        byte[] labels = new byte[height * width];
        if (isLabels(masks)) {
            for (int p = 0; p < labels.length; p++) {
                if (!(values[p] >= 0 && values[p] <= 255 && values[p] == Math.rint(values[p]))) {
                    throw new SceneFileException(
                            file,
                            index,
                            "a label must be a whole number from 0 to 255, got " + values[p]);
                }
                labels[p] = (byte) values[p];
            }
            return labels;
        }
        int entities = (int) masks.shape()[1];
        for (int p = 0; p < labels.length; p++) {
            double largest = 0;
            for (int e = 0; e < entities; e++) {
                double value = values[e * labels.length + p];
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
        close(hdf, channel);
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
         * Opens the file.
         *
         * @return the scenes, to be closed
         * @throws IllegalArgumentException if an option is missing or out of range
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
            return new Hdf5Scenes(this, file, images);
        }
    }
}
