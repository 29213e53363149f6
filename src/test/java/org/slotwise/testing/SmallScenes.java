package org.slotwise.testing;

import org.slotwise.data.Scene;

/** Scenes whose pixels tell where they came from. */
public final class SmallScenes {

    private SmallScenes() {}

    /** Each pixel has its row, its column and 7. */
    public static Scene numbered(int height, int width) {
        byte[] image = new byte[3 * height * width];
        byte[] mask = new byte[height * width];
        for (int p = 0; p < mask.length; p++) {
            image[3 * p] = (byte) (p / width);
            image[3 * p + 1] = (byte) (p % width);
            image[3 * p + 2] = 7;
            mask[p] = (byte) p;
        }
        return new Scene(height, width, image, mask);
    }

    /** Pixels whose red, green and blue are one value. */
    public static Scene grey(int height, int width, int... values) {
        byte[] image = new byte[3 * values.length];
        for (int i = 0; i < image.length; i++) {
            image[i] = (byte) values[i / 3];
        }
        return new Scene(height, width, image);
    }
}
