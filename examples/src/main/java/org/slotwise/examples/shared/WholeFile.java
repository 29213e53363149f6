package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Writes a file such that there is always a whole one, the old or the new: it is written beside the
 * target, forced to the disk, and moved to the target's name in one step. A symbolic link stays and
 * what it points to is written; a file that is replaced hands on its permissions.
 */
public final class WholeFile {

    private static final int MAX_LINKS = 40;
    private static final Pattern UNFINISHED =
            Pattern.compile("\\..+\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");

    private WholeFile() {}

    /**
     * Writes a file, or leaves what was there as it was.
     *
     * @param path the file, or a link to it
     * @param content what it holds afterwards
     * @throws IOException if it cannot be written, with a message for the user
     */
    public static void write(Path path, byte[] content) throws IOException {
        try {
            Path target = target(path);
            if (isSpecial(target)) {
                Files.write(target, content);
            } else {
                replace(target, content);
            }
        } catch (IOException e) {
            throw FileTrouble.writing(path, e);
        }
    }

    /** Something like {@code /dev/stdout}, in whose place no file must be put. */
    static boolean isSpecial(Path target) {
        return Files.exists(target) && !Files.isRegularFile(target);
    }

    /** Where links lead, even if nothing is there yet. */
    static Path target(Path path) throws IOException {
        Path target = path.toAbsolutePath();
        for (int i = 0; Files.isSymbolicLink(target); i++) {
            if (i == MAX_LINKS) {
                throw new IOException("its links lead nowhere");
            }
            target = target.resolveSibling(Files.readSymbolicLink(target));
        }
        return target;
    }

    /**
     * Takes away files that were not whole yet when their process was killed. Nobody may be writing
     * in the folder meanwhile.
     *
     * @param folder where they lie; not in folders in it
     * @throws IOException if one cannot be taken away, with a message for the user
     */
    public static void deleteUnfinished(Path folder) throws IOException {
        DirectoryStream.Filter<Path> unfinished =
                file -> UNFINISHED.matcher(String.valueOf(file.getFileName())).matches();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, unfinished)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw FileTrouble.writing(folder, e);
        }
    }

    private static void replace(Path target, byte[] content) throws IOException {
        Path temporary =
                target.resolveSibling(
                        "." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(content);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            keepPermissions(target, temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void keepPermissions(Path from, Path to) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(to, PosixFileAttributeView.class);
        if (view != null && Files.exists(from)) {
            view.setPermissions(Files.getPosixFilePermissions(from));
        }
    }
}
