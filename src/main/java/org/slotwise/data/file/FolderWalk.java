package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ExistingFile;

/**
 * Goes through the files in a folder and in the folders in it. Links are followed, but not round
 * and round. What programs leave behind is passed over: files and folders whose names begin with a
 * dot, and the folders of macOS's archives and of network storage.
 */
final class FolderWalk extends SimpleFileVisitor<Path> {

    private static final Set<String> LEFT_BEHIND = Set.of("__MACOSX", "@eaDir");

    private final Path folder;
    private final Predicate<Path> leftOut;
    private final Visitor visitor;

    private FolderWalk(Path folder, Predicate<Path> leftOut, Visitor visitor) {
        this.folder = folder;
        this.leftOut = leftOut;
        this.visitor = visitor;
    }

    /** Is told of each file. */
    interface Visitor {
        /**
         * A file.
         *
         * @param file its path, in the folder as it was given
         * @param leadsNowhere whether it is a link to nothing
         */
        void file(Path file, boolean leadsNowhere) throws IOException;
    }

    /**
     * Goes through a folder, in any order.
     *
     * @param leftOut says of a folder in it that it is passed over
     */
    static void over(Path folder, Predicate<Path> leftOut, Visitor visitor) throws IOException {
        ExistingFile.require(folder, "folder");
        Files.walkFileTree(
                folder,
                EnumSet.of(FileVisitOption.FOLLOW_LINKS),
                Integer.MAX_VALUE,
                new FolderWalk(folder, leftOut, visitor));
    }

    /** Whether a name is one of those that programs leave behind. */
    static boolean isLeftBehind(String name) {
        return name.startsWith(".") || LEFT_BEHIND.contains(name);
    }

    private boolean isPassedOver(Path path) {
        Path last = path.getFileName();
        return !path.equals(folder) && last != null && isLeftBehind(last.toString());
    }

    @Override
    public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes known) {
        return isPassedOver(path) || (!path.equals(folder) && leftOut.test(path))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes known) throws IOException {
        // What a link leads to would have been visited.
        boolean leadsNowhere = known.isSymbolicLink();
        if (!isPassedOver(file) && (leadsNowhere || known.isRegularFile())) {
            visitor.file(file, leadsNowhere);
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
        if (e instanceof FileSystemLoopException) { // its files are visited already
            return FileVisitResult.CONTINUE;
        }
        throw e;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path path, @Nullable IOException e)
            throws IOException {
        if (e != null) {
            throw e;
        }
        return FileVisitResult.CONTINUE;
    }
}
