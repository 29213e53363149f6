package org.slotwise.examples.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.model.GnmModel;

/**
 * The pictures that a model learns from: generated ones, or those of a folder. They are kept in
 * memory, a byte a colour.
 */
final class LearntScenes {

    private static final int VALIDATION = 320;
    private static final long VALIDATION_SEED = 987_654_321;

    /** Between the seeds of training pictures and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 42;

    private final String name;
    private final Scenes validation;
    private final boolean masked;
    private final byte[][] pictures;
    private final int side;

    private LearntScenes(String name, Scenes scenes, Scenes validation, boolean masked, int side)
            throws IOException {
        this.name = name;
        this.validation = validation;
        this.masked = masked;
        this.side = side;
        pictures = new byte[Math.toIntExact(scenes.size())][];
        for (int i = 0; i < pictures.length; i++) {
            pictures[i] = scenes.get(i).image();
        }
    }

    /**
     * Chooses the pictures of a training.
     *
     * @param folder a folder of pictures; null for generated ones
     * @param side their height and width
     * @param count how many are generated
     * @param seed which are generated
     */
    static LearntScenes of(@Nullable Path folder, int side, int count, int seed)
            throws IOException {
        if (folder == null) {
            return new LearntScenes(
                    count + " scenes of seed " + seed,
                    generated(seed, count),
                    new CountedScenes(VALIDATION_SEED, VALIDATION),
                    true,
                    side);
        }
        Scenes all = folder(folder, side);
        // The last tenth is not learnt from.
        long held = Math.max(2, Math.min(VALIDATION, all.size() / 10));
        long learnt = all.size() - held;
        if (learnt < 1) {
            throw new IOException(
                    "training takes at least 3 pictures, got " + all.size() + " in " + folder);
        }
        return new LearntScenes(
                all.size() + " pictures of " + folder.toAbsolutePath().normalize(),
                all.range(0, learnt),
                all.range(learnt, all.size()),
                false,
                side);
    }

    /** The scenes that a training of a seed learns from. */
    static Scenes generated(int seed, int count) {
        return new CountedScenes(FIRST_DATA_SEED + seed, count);
    }

    /** The pictures of a folder at a size, whole as {@link GnmModel} sees them; at least one. */
    static Scenes folder(Path folder, int side) throws IOException {
        return ImageFolder.builder()
                .setFolder(folder)
                .setSize(side, side)
                .optFit(PictureFit.SQUEEZE)
                .build();
    }

    /** What tells the pictures from others. */
    String name() {
        return name;
    }

    /** Others, to tell of progress. */
    Scenes validation() {
        return validation;
    }

    /** Whether it is known what objects they have. */
    boolean masked() {
        return masked;
    }

    /** How many there are. */
    int size() {
        return pictures.length;
    }

    /** Some pictures (B, 3, S, S) in [0, 1]. */
    NDArray images(NDManager manager, int... indices) {
        byte[][] chosen = new byte[indices.length][];
        for (int b = 0; b < indices.length; b++) {
            chosen[b] = pictures[indices[b]];
        }
        return images(manager, side, chosen);
    }

    /** Pictures (B, 3, S, S) of scenes. */
    static NDArray images(NDManager manager, Scenes scenes, long first, int count)
            throws IOException {
        byte[][] chosen = new byte[count][];
        int side = 0;
        for (int b = 0; b < count; b++) {
            Scene scene = scenes.get(first + b);
            side = scene.height();
            chosen[b] = scene.image();
        }
        return images(manager, side, chosen);
    }

    private static NDArray images(NDManager manager, int side, byte[]... pictures) {
        int pixels = side * side;
        float[] values = new float[pictures.length * 3 * pixels];
        for (int b = 0; b < pictures.length; b++) {
            byte[] rgb = pictures[b];
            for (int i = 0; i < rgb.length; i++) {
                values[(3 * b + i % 3) * pixels + i / 3] = (rgb[i] & 0xff) / 255f;
            }
        }
        return manager.create(values, new Shape(pictures.length, 3, side, side));
    }
}
