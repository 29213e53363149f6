package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.slotwise.data.SceneFileException;

/** The pictures in a folder and in the folders in it, by their paths. */
final class FolderListing {

    private FolderListing() {}

    /**
     * Lists a folder. A folder "masks" beside a folder "images" holds masks as well.
     *
     * @param isMaskThere says of a file or folder that it holds masks, and no images
     * @param leaveOutOthers whether images of kinds that are not read are passed over
     * @throws SceneFileException if there is no image, or one of another kind
     */
    static List<Path> of(Path folder, Predicate<Path> isMaskThere, boolean leaveOutOthers)
            throws IOException {
        Predicate<Path> isMask = isMaskThere.or(path -> isBesideImages(path, folder));
        List<Path> pictures = new ArrayList<>();
        List<Path> others = new ArrayList<>();
        FolderWalk.over(
                folder,
                isMask,
                (file, leadsNowhere) -> {
                    String name = name(file);
                    boolean picture = PictureKind.isRead(name);
                    if (isMask.test(file) || !(picture || PictureKind.isOther(name))) {
                        return;
                    }
                    if (leadsNowhere) {
                        throw new SceneFileException(file, "this link leads nowhere", null);
                    }
                    (picture ? pictures : others).add(file);
                });
        others.sort(byName(folder));
        if (!others.isEmpty() && (!leaveOutOthers || pictures.isEmpty())) {
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
        if (pictures.isEmpty()) {
            throw new SceneFileException(folder, "no image in this folder", null);
        }
        pictures.sort(byName(folder));
        return List.copyOf(pictures);
    }

    private static boolean isBesideImages(Path path, Path folder) {
        return path.endsWith("masks")
                && !path.equals(folder)
                && Files.isDirectory(path)
                && Files.isDirectory(path.resolveSibling("images"));
    }

    static Comparator<Path> byName(Path folder) {
        return Comparator.comparing(file -> name(folder.relativize(file)));
    }

    /** The same on every system, so that the order is. */
    static String name(Path path) {
        return path.toString().replace('\\', '/');
    }
}
