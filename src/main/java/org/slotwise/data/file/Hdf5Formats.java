package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/** Tells by the names of its arrays which format an HDF5 file has. */
final class Hdf5Formats {

    private static final List<Hdf5Format> KNOWN =
            List.of(
                    Hdf5Format.MULTI_OBJECT_VISIBLE,
                    Hdf5Format.MULTI_OBJECT,
                    Hdf5Format.RAVENS,
                    Hdf5Format.EFFICIENT_MORL_TRAIN,
                    Hdf5Format.SHAPES_3D,
                    new Hdf5Format("images", "masks", null, null),
                    new Hdf5Format("images", "labels", null, null),
                    new Hdf5Format("imgs", "masks", null, null),
                    new Hdf5Format("images", null, null, null),
                    new Hdf5Format("image", null, null, null),
                    new Hdf5Format("imgs", null, null, null));

    private Hdf5Formats() {}

    static Hdf5Format of(Path file) throws IOException {
        try (Hdf5Tree tree = new Hdf5Tree(file)) {
            Set<String> names = tree.names();
            for (Hdf5Format format : KNOWN) {
                boolean all =
                        Stream.of(
                                        format.images(),
                                        format.masks(),
                                        format.counts(),
                                        format.properties())
                                .allMatch(name -> name == null || names.contains(name));
                if (all && fits(file, tree, format)) {
                    return format;
                }
            }
            throw new SceneFileException(
                    file,
                    "no arrays of a format that is known among "
                            + names
                            + "; Hdf5Scenes takes their names",
                    null);
        }
    }

    private static boolean fits(Path file, Hdf5Tree tree, Hdf5Format format) throws IOException {
        Hdf5Array images = array(file, tree, format.images());
        if (!images.isBytes()) {
            throw new SceneFileException(
                    file,
                    "images '"
                            + format.images()
                            + "' are not bytes, and how bright they are is not known; Hdf5Scenes"
                            + " has optWhite",
                    null);
        }
        // Arrays of these names may also hold other things.
        return hasAxes(file, tree, format.properties(), 2, 2)
                && hasAxes(file, tree, format.masks(), 3, 5);
    }

    private static boolean hasAxes(
            Path file, Hdf5Tree tree, @Nullable String name, int least, int most)
            throws IOException {
        if (name == null) {
            return true;
        }
        int axes = array(file, tree, name).shape().length;
        return least <= axes && axes <= most;
    }

    private static Hdf5Array array(Path file, Hdf5Tree tree, String name) throws IOException {
        return Hdf5File.guarded(file, "cannot be read as HDF5", () -> new Hdf5Array(tree, name));
    }
}
