package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

/** What an HDF5 file says of the objects of its scenes: how many there are, or what they are. */
final class Hdf5Objects {

    private final Path file;
    private final Hdf5Array array;
    private final Meaning meaning;

    /** How many scenes share a record of the array. */
    private final long views;

    private enum Meaning {
        COUNTS,
        VISIBILITIES,
        PROPERTIES
    }

    private Hdf5Objects(Path file, Hdf5Array array, Meaning meaning, long views) {
        this.file = file;
        this.array = array;
        this.meaning = meaning;
        this.views = views;
    }

    /** Counts (M), or visibilities (N, E). */
    static Hdf5Objects counted(Path file, Hdf5Array array, long scenes) throws SceneFileException {
        long[] shape = array.shape();
        boolean counts = shape.length == 1 && shape[0] > 0 && scenes % shape[0] == 0;
        boolean visibilities = shape.length == 2 && shape[0] == scenes && shape[1] > 0;
        if (!counts && !visibilities) {
            throw new SceneFileException(
                    file,
                    String.format(
                            Locale.ROOT,
                            "counts '%s' must be (N / views) or (N, E) with N %d, got %s",
                            array.name(),
                            scenes,
                            array.shapeText()),
                    null);
        }
        return counts
                ? new Hdf5Objects(file, array, Meaning.COUNTS, scenes / shape[0])
                : new Hdf5Objects(file, array, Meaning.VISIBILITIES, 1);
    }

    /** Properties (N, P) of one object, or (N, K, P). */
    static Hdf5Objects described(Path file, Hdf5Array array, long scenes)
            throws SceneFileException {
        long[] shape = array.shape();
        boolean fits = (shape.length == 2 || shape.length == 3) && shape[0] == scenes;
        for (int i = 1; fits && i < shape.length; i++) {
            fits = shape[i] > 0;
        }
        if (!fits) {
            throw new SceneFileException(
                    file,
                    String.format(
                            Locale.ROOT,
                            "properties '%s' must be (N, P) or (N, K, P) with N %d, got %s",
                            array.name(),
                            scenes,
                            array.shapeText()),
                    null);
        }
        return new Hdf5Objects(file, array, Meaning.PROPERTIES, 1);
    }

    /** The scene with what is said of it. */
    Scene added(Scene scene, long index) throws IOException {
        Hdf5Array.Numbers values = array.numbers(index / views);
        if (meaning == Meaning.PROPERTIES) {
            float[][] rows = properties(values, index);
            return withCount(scene, rows.length).withProperties(rows);
        }
        if (meaning == Meaning.VISIBILITIES) {
            int objects = 0;
            for (int e = 1; e < array.shape()[1]; e++) {
                objects += number(values, e, index) > 0 ? 1 : 0;
            }
            return withCount(scene, objects);
        }
        double count = number(values, 0, index);
        if (!(count >= 0 && count <= Integer.MAX_VALUE && count == Math.rint(count))) {
            throw new SceneFileException(
                    file,
                    index,
                    "'" + array.name() + "' must be a whole number of objects, got " + count);
        }
        return withCount(scene, (int) count);
    }

    private float[][] properties(Hdf5Array.Numbers values, long index) throws SceneFileException {
        long[] shape = array.shape();
        int objects = shape.length == 2 ? 1 : (int) shape[1];
        float[][] rows = new float[objects][(int) shape[shape.length - 1]];
        int at = 0;
        for (float[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) number(values, at++, index);
            }
        }
        return rows;
    }

    private double number(Hdf5Array.Numbers values, int at, long index) throws SceneFileException {
        double value = values.at(at);
        if (!Double.isFinite(value)) {
            throw new SceneFileException(
                    file, index, "'" + array.name() + "' must be finite, got " + value);
        }
        return value;
    }

    private static Scene withCount(Scene scene, int objects) {
        byte[] mask = scene.hasMask() ? scene.mask() : null;
        Scene counted = new Scene(scene.height(), scene.width(), scene.image(), mask, objects);
        return scene.voidLabel().isPresent()
                ? counted.withVoid(scene.voidLabel().getAsInt())
                : counted;
    }
}
