package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.concurrent.ThreadLocalRandom;
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
        Path folder = path.toAbsolutePath().getParent();
        if (Files.isDirectory(path)) {
            throw new IOException(path + " is a folder, not a file to write to");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException("the folder " + folder + " does not exist");
        }
        if (!Files.isWritable(Files.exists(path) ? path : folder)) {
            throw new IOException(path + " cannot be written: permission denied");
        }
        if (source != null && Files.exists(path) && Files.exists(source)) {
            if (Files.isSameFile(path, source)) {
                throw new IOException(path + " is what is read, and is not overwritten");
            }
        }
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
        write(png.toByteArray());
    }

    /**
     * Writes the file: all of it or, if that fails, nothing. Where there was one, its permissions
     * stay, and a symbolic link goes on leading to it.
     *
     * @param content what it holds afterwards
     * @throws IOException if that fails, with a message for the user
     */
    public void write(byte[] content) throws IOException {
        try {
            boolean there = Files.exists(path);
            Path target = there ? path.toRealPath() : path.toAbsolutePath();
            if (there && !Files.isRegularFile(target)) {
                Files.write(target, content); // a device, or a pipe
            } else {
                replace(target, content, there);
            }
        } catch (FileSystemException e) {
            throw new IOException(path + " cannot be written: " + reason(e), e);
        } catch (IOException e) {
            throw new IOException(path + " cannot be written: " + e.getMessage(), e);
        }
    }

    private static void replace(Path target, byte[] content, boolean there) throws IOException {
        String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
        Path part = target.resolveSibling("." + target.getFileName() + "." + random + ".part");
        try {
            Files.write(part, content, StandardOpenOption.CREATE_NEW);
            PosixFileAttributeView view =
                    Files.getFileAttributeView(part, PosixFileAttributeView.class);
            if (there && view != null) {
                view.setPermissions(Files.getPosixFilePermissions(target));
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static String reason(FileSystemException e) {
        return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    }
}
