package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.image.BufferedImage;
import org.slotwise.data.Scene;

/** What is seen of a scene. */
public final class ScenePicture {

    private ScenePicture() {}

    /**
     * A scene's picture.
     *
     * @param scene the scene
     * @return an image of its size
     */
    public static Image of(Scene scene) {
        byte[] rgb = scene.image();
        int[] colours = new int[rgb.length / 3];
        for (int i = 0; i < rgb.length; i++) {
            colours[i / 3] = colours[i / 3] << 8 | rgb[i] & 0xff;
        }
        BufferedImage image =
                new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, scene.width(), scene.height(), colours, 0, scene.width());
        return ImageFactory.getInstance().fromImage(image);
    }
}
