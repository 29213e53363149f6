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
 * passed over and what is an error, is as in {@link ImageFolder}, which brings them to one size.
 */
public final class PictureFolder implements Scenes {

    private final List<Path> files;

    private PictureFolder(List<Path> files) {
        this.files = files;
    }

    /**
     * Lists a folder. Pictures are read when they are asked for.
     *
     * @param folder with at least one picture in it or in a folder below
     * @return its pictures, in the order of their paths
     * @throws SceneFileException if there is no picture, or one of a kind that is not read
     * @throws IOException if the folder cannot be read
     */
    public static PictureFolder of(Path folder) throws IOException {
        return new PictureFolder(FolderListing.of(folder, file -> false, false));
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
        ImageFile picture = ImageFile.picture(file(index), ImageFile.MOST_PIXELS);
        return new Scene(picture.height(), picture.width(), picture.values());
    }
}
