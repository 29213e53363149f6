package org.slotwise.image;

import org.slotwise.internal.Check;

/**
 * The smallest rectangle around some pixels of an image.
 *
 * @param x the first column, from 0
 * @param y the first row, from 0
 * @param width how many columns; 0 where there is no pixel
 * @param height how many rows; 0 where there is no pixel
 */
public record PixelBox(int x, int y, int width, int height) {

    /**
     * Creates the box.
     *
     * @param x at least 0
     * @param y at least 0
     * @param width at least 0
     * @param height at least 0
     * @throws IllegalArgumentException if a number is negative
     */
    public PixelBox {
        Check.option(
                x >= 0 && y >= 0 && width >= 0 && height >= 0,
                "PixelBox: all numbers must be at least 0, got "
                        + (x + ", " + y + ", " + width + ", " + height));
    }
}
