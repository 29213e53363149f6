package org.slotwise.internal;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes files such that there is always a whole one: the new file is written beside the target,
 * forced to the disk, and moved to the target's name in one step.
 *
 * <p>A file that is rewritten keeps its permissions and its group. Where the target is a symbolic
 * link, what it points to is rewritten, and the link stays. Other hard links keep the former
 * content. Several may write one file at a time, from one process or several: the last one's
 * content stays.
 */
public final class AtomicFile {

    private static final String UNFINISHED = ".tmp";
    private static final int MAX_LINKS = 40;

    /** The byte that is locked while a file is written; files have no byte there. */
    private static final long LOCKED = Long.MAX_VALUE - 1;

    /**
     * What this process is writing. On some systems to close a file gives up all locks that a
     * process has on it: its own are not even opened.
     */
    private static final Set<Path> WRITING = ConcurrentHashMap.newKeySet();

    private AtomicFile() {}

    /** What is written. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content.
         *
         * @param out where to; flushed and closed by the caller
         * @throws IOException if it cannot be written
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Writes a file, or leaves what was there as it was.
     *
     * @param path the target
     * @param content what it holds afterwards
     * @throws IOException if it cannot be written; the message names the file, and nothing else is
     *     left behind
     */
    public static void write(Path path, Content content) throws IOException {
        Path target = target(path);
        while (!writeBeside(path, target, content)) {
            // Somebody took the unfinished file for one of a process that had been killed.
        }
    }

    private static boolean writeBeside(Path path, Path target, Content content) throws IOException {
        Path temporary = target.resolveSibling(prefix(target) + UUID.randomUUID() + UNFINISHED);
        WRITING.add(temporary);
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                if (!isOurs(channel, temporary)) {
                    return false;
                }
                keepPermissions(target, temporary);
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
                content.writeTo(out);
                out.flush();
                channel.force(true);
                // While it is locked: nobody may delete it before it has the target's name.
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            }
            forceFolder(target);
            return true;
        } catch (IOException e) {
            throw new IOException("cannot write " + path + ": " + why(e), e);
        } finally {
            Files.deleteIfExists(temporary);
            WRITING.remove(temporary);
        }
    }

    /** Where a path leads, and whether a file may be written there. */
    private static Path target(Path path) throws IOException {
        Path target = path.toAbsolutePath();
        try {
            for (int links = 0; Files.isSymbolicLink(target); links++) {
                if (links == MAX_LINKS) {
                    throw new FileSystemLoopException(path.toString());
                }
                target = target.resolveSibling(Files.readSymbolicLink(target));
            }
            Path folder = target.getParent();
            if (folder == null || target.getFileName() == null || Files.isDirectory(target)) {
                throw new FileAlreadyExistsException("there is a folder of this name");
            }
            if (!Files.exists(folder)) {
                throw new NoSuchFileException("there is no folder " + folder);
            }
            if (!Files.isDirectory(folder)) {
                throw new NotDirectoryException(folder.toString());
            }
            if (Files.exists(target) && !Files.isRegularFile(target)) {
                throw new FileAlreadyExistsException("what is there is no file but a device");
            }
            if (Files.exists(target) && !Files.isWritable(target)) {
                throw new AccessDeniedException("it is protected against writing");
            }
            return folder.toRealPath().resolve(target.getFileName());
        } catch (IOException e) {
            throw new IOException("cannot write " + path + ": " + why(e), e);
        }
    }

    /** Those of the file system consist of a file's name alone. */
    private static String why(IOException e) {
        String message = String.valueOf(e.getMessage());
        return e.getClass() == IOException.class
                ? message
                : message + " (" + e.getClass().getSimpleName() + ")";
    }

    /** Locks a new file against {@link #deleteUnfinished}, unless that was faster. */
    private static boolean isOurs(FileChannel channel, Path temporary) {
        try {
            FileLock lock = channel.tryLock(LOCKED, 1, false);
            return lock != null && Files.exists(temporary);
        } catch (IOException | OverlappingFileLockException e) {
            // Some network file systems have no locks; nothing is deleted there.
            return Files.exists(temporary);
        }
    }

    /** Whether no process is writing an unfinished file any more. */
    private static boolean isLeft(FileChannel channel) {
        try {
            return channel.tryLock(LOCKED, 1, false) != null;
        } catch (IOException | OverlappingFileLockException e) {
            return false;
        }
    }

    /** As far as the system lets. */
    private static void keepPermissions(Path target, Path temporary) throws IOException {
        PosixFileAttributeView to =
                Files.getFileAttributeView(temporary, PosixFileAttributeView.class);
        if (to == null || !Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        PosixFileAttributes former = Files.readAttributes(target, PosixFileAttributes.class);
        try {
            to.setGroup(former.group());
        } catch (IOException | UnsupportedOperationException e) {
            // Only members may give a file to a group.
        }
        to.setPermissions(former.permissions());
    }

    /**
     * Removes what processes left behind that were killed while they wrote a file. What is being
     * written stays.
     *
     * @param path the target of their writing
     * @throws IOException if the folder cannot be read, or a file in it not be deleted; the message
     *     names it
     */
    public static void deleteUnfinished(Path path) throws IOException {
        Path target = target(path);
        DirectoryStream.Filter<Path> unfinished =
                file -> {
                    String name = String.valueOf(file.getFileName());
                    return name.startsWith(prefix(target)) && name.endsWith(UNFINISHED);
                };
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(target.resolveSibling(""), unfinished)) {
            for (Path file : files) {
                if (!WRITING.contains(file)) {
                    deleteIfLeft(file);
                }
            }
        }
    }

    /**
     * One thread at a time: where to close a file gives up all locks that a process has on it, a
     * second thread that looked at the same file would give up the lock of the first, which then
     * deleted what another process had meanwhile begun to write.
     */
    private static synchronized void deleteIfLeft(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            if (isLeft(channel)) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            // Finished, or deleted by another.
        }
    }

    private static String prefix(Path target) {
        return "." + target.getFileName() + ".";
    }

    /** The move itself outlives a power failure too, on systems where folders can be forced. */
    private static void forceFolder(Path target) {
        try (FileChannel folder =
                FileChannel.open(target.resolveSibling(""), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException e) {
            // Windows opens no folders. The file is whole in any case.
        }
    }
}
