package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;

/**
 * The pictures of a folder and of the folders in it, each at its own size and without a mask: for
 * what looks at pictures as they are, rather than for batches. Which files are pictures, what is
 * passed over and what is an error, is as in {@link ImageFolder}, which brings them to one size: a
 * folder {@code masks} beside {@code images} holds no pictures.
 */
public final class PictureFolder implements Scenes {

    private final List<Path> files;
    private final boolean asStored;

    private PictureFolder(Path folder, boolean asStored) throws IOException {
        files = FolderListing.of(folder, file -> false, false);
        this.asStored = asStored;
    }

    /**
     * Lists a folder. Pictures are read when they are asked for, as a person sees them: on white
     * paper where they are transparent, and turned as the camera was held.
     *
     * @param folder with at least one picture in it or in a folder below
     * @return its pictures, in the order of their paths
     * @throws SceneFileException if there is no picture, or one of a kind that is not read
     * @throws IOException if the folder cannot be read
     */
    public static PictureFolder of(Path folder) throws IOException {
        return new PictureFolder(folder, false);
    }

    /**
     * Lists a folder whose pictures are read as clean-fid reads them, by Pillow's {@code
     * convert("RGB")}: for distances of sets of pictures, which are to be compared with others'. A
     * picture is not seen as a person sees it:
     *
     * <ul>
     *   <li>transparency is passed over: what is behind it are the colours that the file has there,
     *       often black, where {@link #of} shows white paper;
     *   <li>a picture that was taken with the camera held on its side stays on its side;
     *   <li>a colour profile in a JPEG file is not applied;
     *   <li>of 16 bits the first eight are taken; but of grey without transparency numbers above
     *       255 are 255, so that such a picture is white nearly everywhere.
     * </ul>
     *
     * @param folder with at least one picture in it or in a folder below
     * @return its pictures, in the order of their paths
     * @throws SceneFileException if there is no picture, or one of a kind that is not read
     * @throws IOException if the folder cannot be read
     */
    public static PictureFolder asStored(Path folder) throws IOException {
        return new PictureFolder(folder, true);
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return files.size();
    }

    /**
     * The file of a picture.
     *
     * @param index from 0 to size - 1
     * @return its path
     */
    public Path file(long index) {
        return files.get((int) Objects.checkIndex(index, size()));
    }

    /**
     * {@inheritDoc}
     *
     * @throws SceneFileException if the picture is damaged, cut short or too large
     */
    @Override
    public Scene get(long index) throws IOException {
        Path file = file(index);
        ImageFile picture =
                asStored
                        ? ImageFile.stored(file, ImageFile.MOST_PIXELS)
                        : ImageFile.picture(file, ImageFile.MOST_PIXELS);
        return new Scene(picture.height(), picture.width(), picture.values());
    }
}
