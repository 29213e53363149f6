package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * The pictures in a folder and in the folders in it, by their paths. Links are followed, but not
 * round and round. What programs leave behind is passed over: files and folders whose names begin
 * with a dot, and the folders of macOS's archives and of network storage.
 */
final class FolderListing extends SimpleFileVisitor<Path> {

    private static final Set<String> LEFT_BEHIND = Set.of("__MACOSX", "@eaDir");

    private final Path folder;
    private final Predicate<Path> isMask;
    private final List<Path> pictures = new ArrayList<>();
    private final List<Path> others = new ArrayList<>();

    private FolderListing(Path folder, Predicate<Path> isMask) {
        this.folder = folder;
        this.isMask = isMask;
    }

    /**
     * Lists a folder.
     *
     * @param isMask says of a file or folder that it holds masks, and no images
     * @param leaveOutOthers whether images of kinds that are not read are passed over
     * @throws SceneFileException if there is no image, or one of another kind
     */
    static List<Path> of(Path folder, Predicate<Path> isMask, boolean leaveOutOthers)
            throws IOException {
        FolderListing listing = new FolderListing(folder, isMask);
        Files.walkFileTree(
                folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, listing);
        List<Path> others = listing.others.stream().sorted(byName(folder)).toList();
        if (!others.isEmpty() && (!leaveOutOthers || listing.pictures.isEmpty())) {
            String some =
                    others.size() == 1
                            ? "an image of a kind that is not read, "
                            : others.size() + " images of kinds that are not read, such as ";
            throw new SceneFileException(
                    folder,
                    some
                            + name(folder.relativize(others.get(0)))
                            + ("; " + PictureKind.all())
                            + "; optLeaveOutOtherKinds passes them over",
                    null);
        }
        if (listing.pictures.isEmpty()) {
            throw new SceneFileException(folder, "no image in this folder", null);
        }
        return listing.pictures.stream().sorted(byName(folder)).toList();
    }

    private static Comparator<Path> byName(Path folder) {
        return Comparator.comparing(file -> name(folder.relativize(file)));
    }

    /** The same on every system, so that the order is. */
    static String name(Path path) {
        return path.toString().replace('\\', '/');
    }

    private boolean isLeftBehind(Path path) {
        Path last = path.getFileName();
        String name = last == null ? "" : last.toString();
        return !path.equals(folder) && (name.startsWith(".") || LEFT_BEHIND.contains(name));
    }

    @Override
    public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes known) {
        return isLeftBehind(path) || (!path.equals(folder) && isMask.test(path))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes known) throws IOException {
        String name = name(file);
        boolean picture = PictureKind.isRead(name);
        if (isLeftBehind(file) || isMask.test(file) || !(picture || PictureKind.isOther(name))) {
            return FileVisitResult.CONTINUE;
        }
        if (known.isSymbolicLink()) { // what a link leads to would have been visited
            throw new SceneFileException(file, "this link leads nowhere", null);
        }
        if (known.isRegularFile()) {
            (picture ? pictures : others).add(file);
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
        if (e instanceof FileSystemLoopException) { // its images are listed already
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
