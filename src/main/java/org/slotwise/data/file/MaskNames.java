package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/** How the files in a folder of masks are called. */
final class MaskNames {

    /** What names of masks end with that do not have those of their pictures. */
    static final List<String> ENDINGS = List.of("_mask.png", "_masks.png", "_seg.png", "_flat.png");

    private MaskNames() {}

    /**
     * Looks at all pictures: where one has a file whose name says that it is a mask, such files are
     * the masks, and others that lie there too, such as pictures with masks drawn over them, are
     * not.
     *
     * @param pictures of the folder of pictures
     * @param folder theirs
     * @param masks that of the masks
     * @return what takes the place of the pictures' own endings; null for that of PNG files alone
     * @throws SceneFileException if there are masks of several names
     */
    static @Nullable String ending(List<Path> pictures, Path folder, Path masks)
            throws IOException {
        boolean beside = masks.toRealPath().equals(folder.toRealPath());
        List<String> stems = new ArrayList<>();
        for (Path picture : pictures) {
            stems.add(stem(FolderListing.name(folder.relativize(picture))));
        }
        Set<String> all = Set.copyOf(stems);
        Set<String> found = new TreeSet<>();
        for (String ending : ENDINGS) {
            for (String stem : stems) {
                // The mask of a picture a_mask.jpg may be a_mask.png.
                if ((beside || !all.contains(stem(stem + ending)))
                        && Files.exists(masks.resolve(stem + ending))) {
                    found.add(ending);
                    break;
                }
            }
        }
        if (found.size() > 1) {
            throw new SceneFileException(masks, "several kinds of masks, " + found, null);
        }
        if (found.isEmpty() && beside) {
            throw new SceneFileException(
                    masks,
                    "the masks are to lie beside the pictures, and no file is called as one, such"
                            + " as a_mask.png of a.jpg",
                    null);
        }
        return found.isEmpty() ? null : found.iterator().next();
    }

    /** Whether a folder has any files of pictures. */
    static boolean areIn(Path masks) throws IOException {
        AtomicBoolean any = new AtomicBoolean();
        FolderWalk.over(
                masks,
                directory -> false,
                (file, leadsNowhere) -> {
                    String name = FolderListing.name(file);
                    if (PictureKind.isNamed(name)) {
                        any.set(true);
                    }
                });
        return any.get();
    }

    /** A name without its ending. */
    static String stem(String name) {
        return name.substring(0, name.lastIndexOf('.'));
    }

    /**
     * What lies where a mask is missing and is called almost as it: in other letters or with
     * another ending; null for nothing.
     *
     * @param mask where it would be
     */
    static @Nullable String almost(Path mask) throws IOException {
        Path folder = mask.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            return null;
        }
        String stem = stem(String.valueOf(mask.getFileName()));
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(PictureKind::isNamed)
                    .filter(name -> stem(name).equalsIgnoreCase(stem))
                    .sorted()
                    .findFirst()
                    .orElse(null);
        }
    }

    /**
     * Requires, where some pictures have masks and others none, that no mask is left over: names
     * that do not fit must not pass for pictures without masks.
     *
     * @param pictures all pictures
     * @param maskOf where the mask of each would be
     * @param masks their folder
     * @param ending of their names
     * @throws SceneFileException if there is no mask at all, or one of no picture beside a picture
     *     of no mask
     */
    static void requireAlike(
            List<Path> pictures, UnaryOperator<Path> maskOf, Path masks, String ending)
            throws IOException {
        Set<Path> used = new HashSet<>();
        List<Path> without = new ArrayList<>();
        for (Path picture : pictures) {
            Path mask = maskOf.apply(picture);
            if (Files.exists(mask)) {
                used.add(mask);
            } else if (Files.isSymbolicLink(mask)) {
                throw new SceneFileException(mask, "this link leads nowhere", null);
            } else {
                without.add(picture);
            }
        }
        if (without.isEmpty()) {
            return;
        }
        Path first = without.get(0);
        if (used.isEmpty()) {
            throw new SceneFileException(
                    masks,
                    "no picture has its mask here; that of "
                            + first
                            + " would be "
                            + maskOf.apply(first),
                    null);
        }
        // Plain masks are called as pictures, and may have any ending by mistake.
        String tail = ending.equals(".png") ? "" : stem(ending).toLowerCase(Locale.ROOT);
        Set<Path> seen = Set.copyOf(pictures);
        TreeSet<Path> left = new TreeSet<>();
        FolderWalk.over(
                masks,
                directory -> false,
                (file, leadsNowhere) -> {
                    String name = FolderListing.name(file);
                    if (PictureKind.isNamed(name)
                            && stem(name).toLowerCase(Locale.ROOT).endsWith(tail)
                            && !used.contains(file)
                            && (!tail.isEmpty() || !seen.contains(file))) {
                        left.add(file);
                    }
                });
        if (!left.isEmpty()) {
            throw new SceneFileException(
                    first,
                    "its mask "
                            + maskOf.apply(first)
                            + " is missing, and "
                            + left.first()
                            + " is no picture's mask",
                    null);
        }
    }
}
