package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;

/**
 * A picture to be grouped.
 *
 * @param image its pixels, perhaps fewer than in the file
 * @param width its width in the file
 * @param height its height in the file
 */
public record Picture(Image image, int width, int height) {

    /**
     * A picture with all its pixels.
     *
     * @param image its pixels
     * @return a picture
     */
    public static Picture of(Image image) {
        return new Picture(image, image.getWidth(), image.getHeight());
    }

    /**
     * The picture made smaller or larger, its sides in the same proportion.
     *
     * @param side how long the longest side becomes
     * @return another image
     */
    public Image scaledTo(int side) {
        double scale = (double) side / Math.max(width, height);
        return image.resize(
                Math.max(1, (int) Math.round(width * scale)),
                Math.max(1, (int) Math.round(height * scale)),
                false);
    }

    /**
     * How long the longest side is.
     *
     * @return a number of pixels
     */
    public int longestSide() {
        return Math.max(width, height);
    }
}
