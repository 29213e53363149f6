package org.slotwise.examples.pictures;

import java.awt.Dimension;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.data.file.SceneFiles;

/** Pictures that would have to be blown up so far that there is nothing to be seen in them. */
final class SmallPictures {

    private static final int MOST_TIMES = 4;

    private final int height;
    private final int width;
    private String first = "";
    private long count;

    /**
     * None yet.
     *
     * @param height what pictures are brought to
     * @param width likewise
     */
    SmallPictures(int height, int width) {
        this.height = height;
        this.width = width;
    }

    /** Counts a picture, if it is one. */
    void see(String file, int itsHeight, int itsWidth) {
        if (MOST_TIMES * itsHeight < height || MOST_TIMES * itsWidth < width) {
            first = count == 0 ? file + ", " + itsWidth + " x " + itsHeight : first;
            count++;
        }
    }

    /** Tells of those that were counted, if there are some. */
    void tell(PrintWriter out) {
        if (count > 0) {
            out.printf(
                    "Too small to show much at %d x %d pixels, which the model sees: %s%s%n",
                    width, height, count == 1 ? "" : count + " pictures, such as ", first);
        }
    }

    /**
     * Refuses them, where pictures are files.
     *
     * @param files the pictures
     * @param side the height and width that they are brought to
     * @throws IOException if there is one, with a message for the user
     */
    static void refuse(SceneFiles files, int side) throws IOException {
        if (files.scenes().orElse(null) instanceof ImageFolder folder) {
            for (long i = 0; i < folder.size(); i++) {
                Dimension size = size(folder.file(i));
                if (size != null && MOST_TIMES * Math.min(size.width, size.height) < side) {
                    int least = (side + MOST_TIMES - 1) / MOST_TIMES;
                    throw new IOException(
                            folder.file(i)
                                    + (" is too small, " + size.width + " x " + size.height)
                                    + (" pixels: for " + side + " x " + side)
                                    + (" it must be at least " + least + " x " + least));
                }
            }
        }
    }

    /** As the file says; null if it does not: whoever reads it says what is wrong. */
    private static @Nullable Dimension size(Path file) {
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                return null;
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                return new Dimension(reader.getWidth(0), reader.getHeight(0));
            } finally {
                reader.dispose();
            }
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }
}
