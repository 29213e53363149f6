package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * How the files in a folder of masks are called.
 *
 * @param ending what takes the place of the pictures' own endings; null for that of PNG files alone
 */
record MaskNames(@Nullable String ending) {

    private static final List<String> ENDINGS =
            List.of("_mask.png", "_masks.png", "_seg.png", "_flat.png");

    /** How files of pictures end, as cameras and programs write it. */
    static final List<String> PICTURES =
            List.of(
                    ".png", ".PNG", ".jpg", ".JPG", ".Jpg", ".jpeg", ".JPEG", ".jpe", ".jfif",
                    ".webp", ".WEBP", ".bmp", ".BMP", ".gif", ".GIF", ".tif", ".tiff", ".TIF");

    /** What names of masks end with that do not have those of their pictures. */
    static List<String> endings() {
        return ENDINGS;
    }

    /**
     * Looks at all pictures: where one has a file whose name says that it is a mask, such files are
     * the masks, and others that lie there too, such as pictures with masks drawn over them, are
     * not.
     *
     * @param pictures of the folder of pictures
     * @param folder theirs
     * @param masks that of the masks
     * @throws SceneFileException if there are masks of several names
     */
    static MaskNames in(List<Path> pictures, Path folder, Path masks) throws IOException {
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
        return new MaskNames(found.isEmpty() ? null : found.iterator().next());
    }

    /** Whether a folder has any files of pictures. */
    static boolean areIn(Path masks) throws IOException {
        AtomicBoolean any = new AtomicBoolean();
        FolderWalk.over(
                masks,
                directory -> false,
                (file, leadsNowhere) -> {
                    String name = FolderListing.name(file);
                    if (PictureKind.isRead(name) || PictureKind.isOther(name)) {
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
     * The name of a picture that does not end in .png in the place of a mask; null if there is
     * none.
     *
     * @param mask where it would be
     */
    static @Nullable String otherKind(Path mask) {
        String stem = stem(String.valueOf(mask.getFileName()));
        for (String ending : PICTURES) {
            Path other = mask.resolveSibling(stem + ending);
            if (!other.equals(mask) && Files.exists(other)) {
                return stem + ending;
            }
        }
        return null;
    }
}
