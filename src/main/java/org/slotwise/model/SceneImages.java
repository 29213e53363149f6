package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.List;
import org.slotwise.internal.PictureArrays;

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
        NDArray batch = PictureArrays.images(manager, images, height, width);
        if (type == DataType.FLOAT32) {
            return batch;
        }
        try (batch) {
            return batch.toType(type, true);
        }
    }
}
