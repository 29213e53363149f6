package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.slotwise.examples.shared.OutputFile;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.model.ObjectDiscoveryModel;

/**
 * Where a model is to be kept.
 *
 * @param path a folder, or a file that ends in .zip
 */
record ModelTarget(Path path) {

    /** Whether it is to be one file. */
    boolean isZip() {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
    }

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @throws IOException if nothing can be written there, with a message for the user
     */
    void check() throws IOException {
        ObjectDiscoveryModel.requireReplaceable(path);
        if (isZip() && Files.isDirectory(parent())) {
            new OutputFile(path).check(null);
            return;
        }
        // Also a folder is written beside its place, where links lead.
        new OutputFolder(Files.exists(path) ? parent(path.toRealPath()) : parent()).check();
        if (!isZip()) {
            new OutputFolder(path).check();
        }
    }

    /** Makes the folder that it is to lie in. */
    void makeParent() throws IOException {
        new OutputFolder(parent()).make();
    }

    private Path parent() {
        return parent(path.toAbsolutePath().normalize());
    }

    private static Path parent(Path whole) {
        return whole.getParent() == null ? whole : whole.getParent();
    }
}
