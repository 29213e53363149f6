package org.slotwise.model;

import ai.djl.repository.MRL;
import ai.djl.repository.Repository;
import ai.djl.util.Utils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.slotwise.internal.AtomicFolder;

/**
 * What DJL's {@code Criteria} has unpacked of .zip files. It does so once for each path, into its
 * cache, and does not look at the file again: who asks for the path of a model that was replaced is
 * given the former one.
 */
final class UnpackedCopies {

    private UnpackedCopies() {}

    /**
     * Makes DJL unpack a file anew.
     *
     * @param zip a file, by the name that it has in {@code optModelPath}
     * @throws IOException if a copy cannot be deleted
     */
    static void forget(Path zip) throws IOException {
        Set<Path> names = new LinkedHashSet<>(List.of(zip.toAbsolutePath(), zip.toRealPath()));
        names.add(zip.toAbsolutePath().normalize());
        for (Path name : names) {
            Repository repository = Repository.newInstance("local", name);
            for (MRL model : repository.getResources()) {
                Path copy;
                try {
                    copy = repository.getResourceDirectory(model.getDefaultArtifact());
                } catch (IllegalArgumentException e) {
                    continue; // a name with spaces, for instance, which DJL does not load
                }
                boolean cached = copy.startsWith(Utils.getCacheDir()) && !name.startsWith(copy);
                if (cached && Files.isDirectory(copy)) {
                    delete(copy);
                }
            }
        }
    }

    /** Nobody sees a part of it. */
    private static void delete(Path copy) throws IOException {
        Path aside = copy.resolveSibling(copy.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            Files.move(copy, aside, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            return; // somebody was faster
        }
        AtomicFolder.delete(aside);
    }
}
