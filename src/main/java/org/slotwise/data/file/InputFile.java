package org.slotwise.data.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.ExistingFile;

/** What every reader asks of a file before it opens it. */
final class InputFile {

    private InputFile() {}

    /**
     * Requires a file, or a link to one: a folder has nothing to read, and a pipe may never answer.
     *
     * @return its size in bytes
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws SceneFileException if it is anything else
     */
    static long require(Path file) throws IOException {
        ExistingFile.require(file, "file");
        BasicFileAttributes known = Files.readAttributes(file, BasicFileAttributes.class);
        if (!known.isRegularFile()) {
            throw new SceneFileException(
                    file,
                    "not a file but " + (known.isDirectory() ? "a folder" : "a pipe or a device"),
                    null);
        }
        return known.size();
    }

    /** All bytes of a file that has no more than some. */
    static byte[] bytes(Path file, long most) throws IOException {
        long size = require(file);
        if (size <= most) {
            try (InputStream in = Files.newInputStream(file)) {
                byte[] bytes = in.readNBytes((int) Math.min(most, Integer.MAX_VALUE - 16));
                if (in.read() < 0) {
                    return bytes;
                }
            }
        }
        throw new SceneFileException(
                file, "the file has " + size + " bytes, more than " + most, null);
    }
}
