package org.slotwise.data;

import org.slotwise.internal.Check;

/**
 * A window of an image.
 *
 * @param top the first row that stays, from 0
 * @param left the first column that stays, from 0
 * @param height how many rows stay, at least 1
 * @param width how many columns stay, at least 1
 */
public record Crop(int top, int left, int height, int width) {

    /**
     * The 192 x 192 pixels in the middle of a CLEVR image of 240 x 320: rows 29 to 220, columns 64
     * to 255. Slot Attention is trained on these, resized to 128 x 128.
     */
    public static final Crop CLEVR = new Crop(29, 64, 192, 192);

    /**
     * Creates a window.
     *
     * @param top the first row that stays
     * @param left the first column that stays
     * @param height how many rows stay
     * @param width how many columns stay
     * @throws IllegalArgumentException if a place is below 0 or a size below 1
     */
    public Crop {
        Check.option(
                top >= 0 && left >= 0,
                "Crop: top and left must be at least 0, got " + top + " and " + left);
        Check.option(
                height > 0 && width > 0,
                "Crop: height and width must be at least 1, got " + height + " and " + width);
        Check.option(
                (long) top + height <= Integer.MAX_VALUE
                        && (long) left + width <= Integer.MAX_VALUE,
                "Crop: the window's end is too far out");
    }

    /**
     * The largest window in the middle of an image that has the proportions of another size.
     *
     * @param imageHeight the image's height
     * @param imageWidth the image's width
     * @param height the height of the other size
     * @param width the width of the other size
     * @return a window as high or as wide as the image
     * @throws IllegalArgumentException if a size is below 1
     */
    public static Crop centre(int imageHeight, int imageWidth, int height, int width) {
        Check.option(
                imageHeight > 0 && imageWidth > 0 && height > 0 && width > 0,
                "Crop: each size must be at least 1");
        double scale = Math.min((double) imageHeight / height, (double) imageWidth / width);
        int h = Math.max(1, Math.min(imageHeight, (int) Math.round(height * scale)));
        int w = Math.max(1, Math.min(imageWidth, (int) Math.round(width * scale)));
        return new Crop((imageHeight - h) / 2, (imageWidth - w) / 2, h, w);
    }
}
