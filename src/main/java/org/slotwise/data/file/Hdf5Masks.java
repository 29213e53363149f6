package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

/** The masks of an HDF5 file, of entities or as labels, as {@link Hdf5Scenes} describes. */
final class Hdf5Masks {

    private final Path file;
    private final Hdf5Array masks;
    private final boolean areLabels;
    private final @Nullable Integer voidLabel;

    /**
     * Requires masks of the size of the images.
     *
     * @param voidLabel the label of pixels that belong to nothing; null if there is none
     */
    Hdf5Masks(Path file, Hdf5Array masks, Hdf5Array images, @Nullable Integer voidLabel)
            throws SceneFileException {
        this.file = file;
        this.masks = masks;
        this.voidLabel = voidLabel;
        long height = images.shape()[1];
        long width = images.shape()[2];
        areLabels = masks.hasRecords(height, width) || masks.hasRecords(height, width, 1);
        boolean fits =
                masks.shape().length > 0
                        && masks.shape()[0] == images.shape()[0]
                        && (areLabels
                                || masks.hasRecords(-1, height, width, 1)
                                || masks.hasRecords(-1, height, width));
        if (!fits) {
            String size = height + ", " + width;
            throw new SceneFileException(
                    file,
                    String.format(
                            Locale.ROOT,
                            "masks '%s' must be (N, E, %s, 1), (N, E, %s) or (N, %s) with N %d, got"
                                    + " %s",
                            masks.name(),
                            size,
                            size,
                            size,
                            images.shape()[0],
                            masks.shapeText()),
                    null);
        }
        if (!areLabels && voidLabel != null) {
            throw new SceneFileException(
                    file,
                    "a void label needs labels (N, H, W), and masks '"
                            + masks.name()
                            + "' are "
                            + masks.shapeText(),
                    null);
        }
        if (!areLabels && masks.shape()[1] > 256) {
            throw new SceneFileException(
                    file, "at most 256 masks a scene, got " + masks.shape()[1], null);
        }
    }

    /** An image with its mask. */
    Scene scene(int height, int width, byte[] rgb, long index) throws IOException {
        if (!areLabels) {
            return new Scene(height, width, rgb, entities(height * width, index));
        }
        Scene scene = new Scene(height, width, rgb, labels(height * width, index));
        return voidLabel == null ? scene : scene.withVoid(voidLabel & 0xff);
    }

    private byte[] labels(int pixels, long index) throws IOException {
        Hdf5Array.Numbers values = masks.numbers(index);
        byte[] labels = new byte[pixels];
        for (int p = 0; p < labels.length; p++) {
            double value = values.at(p);
            double whole = Math.rint(value);
            boolean isVoid = voidLabel != null && whole == voidLabel;
            boolean fits = isVoid || (whole >= 0 && whole <= 255);
            if (!fits || !(Math.abs(value - whole) <= Hdf5Scenes.ROUNDING)) {
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
    private byte[] entities(int pixels, long index) throws IOException {
        int entities = (int) masks.shape()[1];
        if (masks.isBytes() && entities > 0) {
            return EntityMasks.largest(masks.bytes(index), entities);
        }
        Hdf5Array.Numbers values = masks.numbers(index);
        byte[] labels = new byte[pixels];
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
}
