package org.slotwise.model;

import java.util.Random;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.internal.Check;

/**
 * What is done to an image before a model learns from it, anew each time.
 *
 * @param mirror whether half of the images, drawn at random, are mirrored left to right
 * @param leastCrop the least part of height and width that is shown: a window of a size and place
 *     that are drawn at random is resized to the whole; 1 for no crop
 */
public record Augmentation(boolean mirror, double leastCrop) {

    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(false, 1);

    /**
     * Creates the augmentation.
     *
     * @param mirror whether images are mirrored
     * @param leastCrop above 0, at most 1
     * @throws IllegalArgumentException if it is out of its range
     */
    public Augmentation {
        Check.option(
                leastCrop > 0 && leastCrop <= 1,
                "Augmentation: leastCrop must be above 0 and at most 1, got " + leastCrop);
    }

    /** A scene's image at a size, (height, width, 3) bytes. */
    byte[] image(Scene scene, int height, int width, Random random) {
        Scene seen = scene;
        if (leastCrop < 1) {
            double part = leastCrop + (1 - leastCrop) * random.nextDouble();
            int h = Math.max(1, (int) Math.round(part * scene.height()));
            int w = Math.max(1, (int) Math.round(part * scene.width()));
            int top = random.nextInt(scene.height() - h + 1);
            int left = random.nextInt(scene.width() - w + 1);
            seen = scene.crop(new Crop(top, left, h, w));
        }
        if (seen.height() != height || seen.width() != width) {
            seen = seen.resize(height, width);
        }
        byte[] image = seen.image();
        return mirror && random.nextBoolean() ? mirrored(image, height, width) : image;
    }

    private static byte[] mirrored(byte[] image, int height, int width) {
        byte[] mirrored = new byte[image.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int from = 3 * (y * width + x);
                System.arraycopy(image, from, mirrored, 3 * (y * width + width - 1 - x), 3);
            }
        }
        return mirrored;
    }
}
