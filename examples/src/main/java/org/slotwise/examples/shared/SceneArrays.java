package org.slotwise.examples.shared;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/** Pictures of scenes as arrays. */
public final class SceneArrays {

    private SceneArrays() {}

    /**
     * Some pictures.
     *
     * @param manager who owns the result
     * @param scenes squares of one size
     * @param indices which of them
     * @return (B, 3, S, S) in [0, 1]
     * @throws IOException if one cannot be read
     */
    public static NDArray images(NDManager manager, Scenes scenes, long... indices)
            throws IOException {
        float[] values = new float[0];
        int side = 0;
        int pixels = 0;
        for (int b = 0; b < indices.length; b++) {
            Scene scene = scenes.get(indices[b]);
            if (b == 0) {
                side = scene.height();
                pixels = side * side;
                values = new float[indices.length * 3 * pixels];
            }
            byte[] rgb = scene.image();
            for (int i = 0; i < rgb.length; i++) {
                values[(3 * b + i % 3) * pixels + i / 3] = (rgb[i] & 0xff) / 255f;
            }
        }
        return manager.create(values, new Shape(indices.length, 3, side, side));
    }

    /**
     * Arrays as pictures of bytes, as a file of them has them.
     *
     * @param images (B, 3, H, W) in [0, 1]; what is beyond is brought there
     * @return B scenes without masks
     */
    public static List<Scene> scenes(NDArray images) {
        int height = (int) images.getShape().get(2);
        int width = (int) images.getShape().get(3);
        int pixels = height * width;
        float[] values = images.toFloatArray();
        List<Scene> scenes = new ArrayList<>();
        for (int b = 0; b < images.getShape().get(0); b++) {
            byte[] rgb = new byte[3 * pixels];
            for (int i = 0; i < rgb.length; i++) {
                float value = values[(3 * b + i % 3) * pixels + i / 3];
                rgb[i] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
            }
            scenes.add(new Scene(height, width, rgb));
        }
        return scenes;
    }
}
