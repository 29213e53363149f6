package org.slotwise.internal;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says of a path where nothing is that nothing is there; Java gives the name alone. */
public final class ExistingFile {

    private ExistingFile() {}

    /**
     * Requires that something is there.
     *
     * @param path a file or folder, or a link to one
     * @param what what it should be, "file" or "folder"
     * @throws NoSuchFileException if nothing is there, or a link that leads nowhere
     */
    public static void require(Path path, String what) throws NoSuchFileException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(
                    path.toString(), null, "there is no " + what + " of this name");
        }
    }
}
