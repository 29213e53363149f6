package org.slotwise.data;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.PictureArrays;

/** Several scenes as arrays, written in one go. */
final class SceneBatch {

    private SceneBatch() {}

    /**
     * A batch with a manager of its own below another one.
     *
     * @param who the data set that complains
     * @param scenes at least one
     * @param device where the arrays go; null for the manager's device
     * @param objects how many rows of properties each scene gets; 0 for no properties
     */
    static Batch of(
            String who,
            NDManager parent,
            List<Scene> scenes,
            @Nullable Device device,
            int objects,
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
            if (objects > 0) {
                labels.add(properties(who, manager, scenes, objects));
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
        List<byte[]> images = new ArrayList<>(scenes.size());
        for (Scene scene : scenes) {
            if (scene.height() != first.height() || scene.width() != first.width()) {
                throw new IllegalArgumentException(
                        who
                                + ": all images of a batch must have one size; there are "
                                + size(first)
                                + " and "
                                + size(scene)
                                + "; crop and resize the scenes with map(...)");
            }
            images.add(scene.image());
        }
        return PictureArrays.images(manager, images, first.height(), first.width());
    }

    /** The masks (B, H * W). */
    private static NDArray masks(String who, NDManager manager, List<Scene> scenes) {
        List<byte[]> masks = new ArrayList<>(scenes.size());
        boolean haveVoid = false;
        for (Scene scene : scenes) {
            if (!scene.hasMask()) {
                throw new IllegalArgumentException(
                        who + ": some scenes of a batch have a mask and some have none");
            }
            masks.add(scene.mask());
            haveVoid |= scene.voidLabel().isPresent();
        }
        return haveVoid ? withVoid(manager, scenes) : PictureArrays.labels(manager, masks);
    }

    /** The same with -1 for void. */
    private static NDArray withVoid(NDManager manager, List<Scene> scenes) {
        int each = scenes.get(0).mask().length;
        long[] values = new long[Math.multiplyExact(scenes.size(), each)];
        for (int b = 0; b < scenes.size(); b++) {
            scenes.get(b).maskInto(values, b * each);
        }
        return owned(manager.create(values, new Shape(scenes.size(), each)));
    }

    /** The properties (B, objects, P), with rows of zeros where a scene has fewer objects. */
    private static NDArray properties(
            String who, NDManager manager, List<Scene> scenes, int objects) {
        int length = 0;
        for (Scene scene : scenes) {
            length = Math.max(length, rowLength(who, scene));
        }
        Check.option(length > 0, who + ": no scene of a batch has an object with properties");
        int each = objects * length;
        float[] values = new float[Math.multiplyExact(scenes.size(), each)];
        for (int b = 0; b < scenes.size(); b++) {
            propertiesInto(who, scenes.get(b), objects, length, values, b * each);
        }
        return owned(manager.create(values, new Shape(scenes.size(), objects, length)));
    }

    /** How many numbers a row of the scene's properties has; 0 where there is no object. */
    static int rowLength(String who, Scene scene) {
        Check.option(
                scene.hasProperties(),
                who + ": a scene has no properties; leave out the properties, or that scene");
        return scene.properties().length == 0 ? 0 : scene.properties()[0].length;
    }

    /** Writes the rows of a scene's properties into an array of zeros. */
    static void propertiesInto(
            String who, Scene scene, int objects, int length, float[] to, int at) {
        float[][] rows = scene.properties();
        Check.option(
                rows.length <= objects,
                who
                        + ": a scene has "
                        + rows.length
                        + " objects, more than the "
                        + objects
                        + " rows of properties");
        for (int k = 0; k < rows.length; k++) {
            Check.option(
                    rows[k].length == length,
                    who
                            + ": all scenes of a batch must have as many properties; there are "
                            + (length + " and " + rows[k].length));
            System.arraycopy(rows[k], 0, to, at + k * length, length);
        }
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
