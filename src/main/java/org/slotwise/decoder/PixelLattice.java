package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import org.slotwise.internal.Check;
import org.slotwise.internal.EvenSpacing;

/**
 * Every stride-th pixel of an image in both directions: a decoder that can make any pixel by itself
 * makes these alone, which is enough for a step of training and takes a fraction of its time.
 *
 * @param stride the step from one pixel to the next, at least 1
 * @param row the first row, from 0 to below the stride
 * @param column the first column, from 0 to below the stride
 */
public record PixelLattice(int stride, int row, int column) {

    /** All pixels. */
    public static final PixelLattice ALL = new PixelLattice(1, 0, 0);

    /**
     * Creates the lattice.
     *
     * @param stride at least 1
     * @param row from 0 to below the stride
     * @param column from 0 to below the stride
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PixelLattice {
        String who = "PixelLattice";
        Check.atLeast(who, "stride", stride, 1);
        Check.option(
                row >= 0 && row < stride && column >= 0 && column < stride,
                who
                        + ": row and column must be from 0 to below the stride of "
                        + stride
                        + ", got "
                        + row
                        + " and "
                        + column);
    }

    /**
     * The pixels of images that lie on the lattice.
     *
     * @param images (B, C, H, W)
     * @return (B, C, rows, columns), in the manager of the images
     */
    public NDArray of(NDArray images) {
        Check.shape("PixelLattice", "images", images, "B", "C", "H", "W");
        String every = "::" + stride;
        return images.get(new NDIndex(":, :, " + row + every + ", " + column + every));
    }

    /** How many pixels of a side lie on the lattice. */
    static int count(int size, int first, int stride) {
        return (int) (((long) size - first + stride - 1) / stride);
    }

    int rows(int height) {
        return count(height, row, stride);
    }

    int columns(int width) {
        return count(width, column, stride);
    }

    /** Where the pixels of a side lie: centres in [0, 1], from the first on. */
    static EvenSpacing places(int size, int first, int stride) {
        return new EvenSpacing(first + 0.5, stride, count(size, first, stride), size);
    }
}
