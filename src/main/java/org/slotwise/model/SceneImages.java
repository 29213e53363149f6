package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.slotwise.internal.Scalars;

/** Images of scenes as a model takes them. */
final class SceneImages {

    private SceneImages() {}

    /**
     * A batch (B, 3, H, W) in [0, 1], on the manager's device.
     *
     * @param manager the owner
     * @param images each (H, W, 3) bytes
     * @param height H
     * @param width W
     * @param type of the numbers
     */
    static NDArray of(
            NDManager manager, List<byte[]> images, int height, int width, DataType type) {
        int pixels = height * width;
        float[] values = new float[images.size() * 3 * pixels];
        int at = 0;
        for (byte[] image : images) {
            for (int c = 0; c < 3; c++) {
                for (int p = 0; p < pixels; p++) {
                    values[at++] = (image[3 * p + c] & 0xff) / 255f;
                }
            }
        }
        Shape shape = new Shape(images.size(), 3, height, width);
        try (NDArray buffer = manager.create(values, shape)) {
            // Not the Java buffer, which a graph would outlive.
            return type == DataType.FLOAT32 ? Scalars.ownMemory(buffer) : buffer.toType(type, true);
        }
    }
}
