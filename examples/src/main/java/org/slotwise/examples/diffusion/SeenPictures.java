package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.stream.LongStream;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;

/**
 * Pictures as slots and latents, computed once: neither changes while the denoiser learns.
 *
 * <p>They lie in Java's memory.
 */
final class SeenPictures {

    private static final int BATCH = 64;

    /** What may end it early. */
    @FunctionalInterface
    interface Stop {
        void check() throws IOException;
    }

    private final float[] slots;
    private final float[] latents;
    private final int size;
    private final Shape slotShape;
    private final Shape latentShape;

    private SeenPictures(
            float[] slots, float[] latents, int size, Shape slotShape, Shape latentShape) {
        this.slots = slots;
        this.latents = latents;
        this.size = size;
        this.slotShape = slotShape;
        this.latentShape = latentShape;
    }

    /**
     * Looks at all pictures.
     *
     * @param model what looks
     * @param scenes the pictures
     * @param stop asked after some of them whether to end, by an exception
     */
    static SeenPictures of(LatentSlotDiffusion model, Scenes scenes, Stop stop) throws IOException {
        int size = Math.toIntExact(scenes.size());
        Shape slotShape =
                new Shape(model.madeFrom().discovery().slots(), model.madeFrom().slotDim());
        Shape latentShape = model.decoder().latentShape();
        float[] slots = new float[Math.toIntExact(size * slotShape.size())];
        float[] latents = new float[Math.toIntExact(size * latentShape.size())];
        for (int from = 0; from < size; from += BATCH) {
            try (NDManager manager = NDManager.newBaseManager()) {
                int to = Math.min(size, from + BATCH);
                NDArray images =
                        SceneArrays.images(manager, scenes, LongStream.range(from, to).toArray());
                ParameterStore store = new ParameterStore(manager, false);
                put(slots, from, model.slots(store, images, false).objects());
                put(latents, from, model.latents(store, images));
            }
            stop.check();
        }
        return new SeenPictures(slots, latents, size, slotShape, latentShape);
    }

    private static void put(float[] all, int row, NDArray some) {
        float[] values = some.toFloatArray();
        int each = (int) (values.length / some.size(0));
        System.arraycopy(values, 0, all, row * each, values.length);
    }

    int size() {
        return size;
    }

    /** Slots (B, K, D) of some pictures. */
    NDArray slots(NDManager manager, int... pictures) {
        return rows(manager, slots, slotShape, pictures);
    }

    /** Latents (B, C, h, w) of some pictures. */
    NDArray latents(NDManager manager, int... pictures) {
        return rows(manager, latents, latentShape, pictures);
    }

    private static NDArray rows(NDManager manager, float[] all, Shape shape, int... rows) {
        int each = Math.toIntExact(shape.size());
        float[] values = new float[rows.length * each];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(all, rows[i] * each, values, i * each, each);
        }
        return manager.create(values, new Shape(rows.length).addAll(shape));
    }

    /** The standard deviation of all numbers of the latents. */
    double deviation() {
        double sum = 0;
        double squares = 0;
        for (float z : latents) {
            sum += z;
            squares += (double) z * z;
        }
        double mean = sum / latents.length;
        return Math.sqrt(squares / latents.length - mean * mean);
    }

    /** The same with latents that are multiplied by a number. */
    SeenPictures scaled(double factor) {
        float[] all = new float[latents.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) (latents[i] * factor);
        }
        return new SeenPictures(slots, all, size, slotShape, latentShape);
    }
}
