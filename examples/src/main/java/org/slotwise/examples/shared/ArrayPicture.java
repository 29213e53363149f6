package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import java.awt.image.BufferedImage;

/** Arrays as pictures. */
public final class ArrayPicture {

    private ArrayPicture() {}

    /**
     * A picture.
     *
     * @param array (3, H, W) in [0, 1]; what is beyond is brought there
     * @return an image of its size
     */
    public static Image of(NDArray array) {
        int height = (int) array.getShape().get(1);
        int width = (int) array.getShape().get(2);
        float[] values = array.toFloatArray();
        int size = height * width;
        int[] colours = new int[size];
        for (int i = 0; i < 3 * size; i++) {
            int level = Math.round(255 * Math.max(0, Math.min(1, values[i])));
            colours[i % size] = colours[i % size] << 8 | level;
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, colours, 0, width);
        return ImageFactory.getInstance().fromImage(image);
    }
}
