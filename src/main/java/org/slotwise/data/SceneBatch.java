package org.slotwise.data;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Several scenes as arrays, written in one go. */
final class SceneBatch {

    private SceneBatch() {}

    /**
     * A batch with a manager of its own below another one.
     *
     * @param who the data set that complains
     * @param scenes at least one
     * @param device where the arrays go; null for the manager's device
     */
    static Batch of(
            String who,
            NDManager parent,
            List<Scene> scenes,
            @Nullable Device device,
            long progress,
            long total,
            @Nullable List<?> indices) {
        NDManager manager = device == null ? parent.newSubManager() : parent.newSubManager(device);
        try {
            NDArray images = images(who, manager, scenes);
            NDList labels = new NDList(images);
            if (scenes.get(0).hasMask()) {
                labels.add(masks(who, manager, scenes));
            }
            return new Batch(
                    manager,
                    new NDList(images),
                    labels,
                    scenes.size(),
                    Batchifier.STACK,
                    Batchifier.STACK,
                    progress,
                    total,
                    indices);
        } catch (RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    /** The images (B, 3, H, W) in [0, 1]. */
    private static NDArray images(String who, NDManager manager, List<Scene> scenes) {
        Scene first = scenes.get(0);
        int each = 3 * first.height() * first.width();
        float[] values = new float[Math.multiplyExact(scenes.size(), each)];
        for (int b = 0; b < scenes.size(); b++) {
            Scene scene = scenes.get(b);
            if (scene.height() != first.height() || scene.width() != first.width()) {
                throw new IllegalArgumentException(
                        who
                                + ": all images of a batch must have one size; there are "
                                + size(first)
                                + " and "
                                + size(scene)
                                + "; crop and resize the scenes with map(...)");
            }
            scene.imageInto(values, b * each);
        }
        return owned(
                manager.create(values, new Shape(scenes.size(), 3, first.height(), first.width())));
    }

    /** The masks (B, H * W). */
    private static NDArray masks(String who, NDManager manager, List<Scene> scenes) {
        int each = scenes.get(0).height() * scenes.get(0).width();
        long[] values = new long[Math.multiplyExact(scenes.size(), each)];
        for (int b = 0; b < scenes.size(); b++) {
            if (!scenes.get(b).hasMask()) {
                throw new IllegalArgumentException(
                        who + ": some scenes of a batch have a mask and some have none");
            }
            scenes.get(b).maskInto(values, b * each);
        }
        return owned(manager.create(values, new Shape(scenes.size(), each)));
    }

    /**
     * A copy in the engine's own memory. What {@code create} gives lies in a Java buffer that the
     * garbage collector may free once the array is closed, even if a recorded graph still needs it.
     */
    private static NDArray owned(NDArray buffer) {
        try (buffer) {
            return buffer.duplicate();
        }
    }

    private static String size(Scene scene) {
        return scene.height() + " x " + scene.width();
    }
}
