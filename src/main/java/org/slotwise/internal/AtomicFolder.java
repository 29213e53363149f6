package org.slotwise.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes folders such that there is always a whole one: the new folder is written beside the
 * target, and takes its place when it is whole.
 *
 * <p>No system has one step that puts a folder in the place of another. There are two: the former
 * one is moved aside, the new one is moved in. Who is killed between them leaves both beside the
 * target, and {@link #finish} takes the second step. Several threads may write one folder at a
 * time: the last one's content stays. Of several processes that do, one may end with an {@link
 * IOException}.
 */
public final class AtomicFolder {

    /** The ends of the names of a new folder, and of the one whose place it takes. */
    private static final String NEW = ".new.tmp";

    private static final String FORMER = ".former.tmp";

    /** How often others may write the same folder in the middle of our two steps. */
    private static final int PATIENCE = 100;

    /** Held from the first step to the last, and while it is looked at what is there. */
    private static final Object STEPS = new Object();

    private AtomicFolder() {}

    /** What is written. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the content.
         *
         * @param folder an empty folder
         * @throws IOException if it cannot be written
         */
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Writes a folder, or leaves what was there as it was. Where the target is a symbolic link to a
     * folder, that one is replaced, and the link stays.
     *
     * @param path the target; a folder that is there is replaced with all that is in it
     * @param content what it holds afterwards
     * @throws IOException if it cannot be written; nothing else is left behind, but what could not
     *     be moved back, which the message names
     */
    public static void write(Path path, Content content) throws IOException {
        Path target;
        synchronized (STEPS) {
            target = target(path);
        }
        String mark = prefix(target) + UUID.randomUUID();
        Path whole = target.resolveSibling(mark + NEW);
        Path former = target.resolveSibling(mark + FORMER);
        try {
            Files.createDirectory(whole);
            content.writeTo(whole);
            force(whole);
            synchronized (STEPS) {
                replace(target, whole, former);
                force(target.resolveSibling(""));
                deleteFormer(target);
            }
        } finally {
            delete(whole);
        }
    }

    private static void replace(Path target, Path whole, Path former) throws IOException {
        for (int tries = 1; ; tries++) {
            moved(target, former);
            try {
                Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE);
                return;
            } catch (IOException e) {
                if (!Files.exists(whole)) {
                    return; // somebody has finished it for us
                }
                if (!Files.exists(target)) {
                    moveBack(former, target, e);
                }
                if (!Files.exists(former) || tries == PATIENCE) {
                    throw e;
                }
                // Somebody else has written the same folder meanwhile, and ours comes after it.
                delete(former);
            }
        }
    }

    private static void moveBack(Path former, Path target, IOException cause) throws IOException {
        try {
            moved(former, target);
        } catch (IOException e) {
            if (!Files.exists(target)) {
                IOException lost =
                        new IOException(
                                cause.getMessage() + "; what was there before is now " + former,
                                cause);
                lost.addSuppressed(e);
                throw lost;
            }
        }
    }

    /** Whether there was something to be moved. */
    private static boolean moved(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /**
     * Takes the step that a process did not take that was killed between the two: where there is
     * nothing at a path but a new folder or a former one beside it.
     *
     * @param path the target of its writing; what is there already stays as it is
     * @throws IOException if the folder beside cannot be moved
     */
    public static void finish(Path path) throws IOException {
        synchronized (STEPS) {
            finishSteps(path);
        }
    }

    private static void finishSteps(Path path) throws IOException {
        Path parent = path.toAbsolutePath().getParent();
        if (Files.exists(path) || parent == null || !Files.isDirectory(parent)) {
            return;
        }
        Path target = target(path);
        for (Path former : beside(target, FORMER)) {
            try {
                if (moved(newOf(former), target) || moved(former, target)) {
                    return;
                }
            } catch (IOException e) {
                if (Files.exists(target)) {
                    return; // somebody was faster
                }
                throw e;
            }
        }
    }

    /** What the writing of a former folder was to put in its place. */
    private static Path newOf(Path former) {
        String name = String.valueOf(former.getFileName());
        return former.resolveSibling(name.substring(0, name.length() - FORMER.length()) + NEW);
    }

    /**
     * Ours, and those of processes that were killed. Somebody who is between two steps has both.
     */
    private static void deleteFormer(Path target) throws IOException {
        for (Path former : beside(target, FORMER)) {
            if (!Files.exists(newOf(former))) {
                delete(former);
            }
        }
    }

    private static List<Path> beside(Path target, String end) throws IOException {
        DirectoryStream.Filter<Path> ours =
                file -> {
                    String name = String.valueOf(file.getFileName());
                    return name.startsWith(prefix(target)) && name.endsWith(end);
                };
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(target.resolveSibling(""), ours)) {
            files.forEach(found::add);
        }
        return found;
    }

    private static String prefix(Path target) {
        return "." + target.getFileName() + ".";
    }

    private static Path target(Path path) throws IOException {
        if (Files.exists(path)) {
            Path real = path.toRealPath();
            if (!Files.isDirectory(real)) {
                throw new FileAlreadyExistsException(path.toString(), null, "is no folder");
            }
            return checked(path, real.getParent(), real.getFileName());
        }
        Path absolute = path.toAbsolutePath();
        return checked(path, absolute.getParent(), absolute.getFileName());
    }

    private static Path checked(Path path, @Nullable Path folder, @Nullable Path name)
            throws IOException {
        if (folder == null || name == null) {
            throw new FileAlreadyExistsException(path.toString(), null, "is the root");
        }
        if (!Files.exists(folder)) {
            throw new NoSuchFileException("there is no folder " + folder);
        }
        if (!Files.isDirectory(folder)) {
            throw new NotDirectoryException(folder.toString());
        }
        return folder.toRealPath().resolve(name);
    }

    /**
     * Deletes a folder and all in it, if it is there.
     *
     * @param folder the folder
     * @throws IOException if something in it cannot be deleted
     */
    public static void delete(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof NoSuchFileException)) {
                throw e.getCause();
            }
            // Somebody else deletes it too.
        }
    }

    /** The move itself outlives a power failure too, on systems where folders can be forced. */
    private static void force(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows opens no folders. What is there is whole in any case.
        }
    }
}
