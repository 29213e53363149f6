package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A file that a program is to write.
 *
 * @param path where it is to be
 */
public record OutputFile(Path path) {

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @param source a file that must not be overwritten, or null
     * @throws IOException if nothing can be written there, with a message for the user
     */
    public void check(@Nullable Path source) throws IOException {
        Path target = target();
        Path folder = target.getParent();
        if (Files.isDirectory(target)) {
            throw new IOException(path + " is a folder, not a file to write to");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException("the folder " + folder + " does not exist");
        }
        if (Files.exists(target) && !Files.isWritable(target)) {
            throw new IOException(path + " cannot be written: permission denied");
        }
        if (!WholeFile.isSpecial(target)) {
            // The new file is written beside the old one.
            try {
                OutputFolder.tryToWriteIn(folder);
            } catch (IOException e) {
                throw FileTrouble.writing(path, e);
            }
        }
        if (source != null && Files.exists(path) && Files.exists(source)) {
            if (Files.isSameFile(path, source)) {
                throw new IOException(path + " is what is read, and is not overwritten");
            }
        }
    }

    /** Whether a name is one of a PNG file. */
    public static boolean isPng(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".png");
    }

    /**
     * Writes the figure.
     *
     * @param figure an image
     * @throws IOException if that fails, with a message for the user
     */
    public void write(Image figure) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        figure.save(png, "png");
        WholeFile.write(path, png.toByteArray());
    }

    private Path target() throws IOException {
        try {
            return WholeFile.target(path);
        } catch (IOException e) {
            throw FileTrouble.writing(path, e);
        }
    }
}
