package org.slotwise.examples.photos;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Picture;
import org.slotwise.examples.shared.PictureFile;
import org.slotwise.examples.shared.StillLife;

/**
 * What is seen of each photograph: first the whole, then parts of it, half of them mirrored. Of a
 * few whole photographs a model would learn by heart what lies where. Without photographs, the
 * still life is seen and others instead of its parts.
 */
final class PhotoViews {

    private static final double SMALLEST = 0.4;

    private final List<Path> photos;
    private final int parts;
    private final int size;
    private @Nullable Picture last;
    private int lastPhoto = -1;

    /**
     * Describes the views.
     *
     * @param photos the photographs; none for the still life
     * @param parts how many parts of each are seen beside the whole, or how many other still lifes
     * @param size the height and width to which views are squeezed, S
     */
    PhotoViews(List<Path> photos, int parts, int size) {
        this.photos = photos;
        this.parts = parts;
        this.size = size;
    }

    /** How many photographs there are. */
    int photos() {
        return Math.max(1, photos.size());
    }

    /** How many views there are. */
    int count() {
        return photos() * (parts + 1);
    }

    /** The view of a whole photograph. */
    int whole(int photo) {
        return photo * (parts + 1);
    }

    /** The name of a photograph. */
    String name(int photo) {
        return photos.isEmpty() ? "still-life" : photos.get(photo).getFileName().toString();
    }

    /**
     * A photograph.
     *
     * @param photo which one
     * @param side how long its longest side has to be at least, if the file has that many pixels
     * @return the picture
     * @throws IOException if it cannot be read
     */
    Picture picture(int photo, int side) throws IOException {
        return photos.isEmpty()
                ? StillLife.arranged(0).draw()
                : new PictureFile(photos.get(photo)).read(side);
    }

    /**
     * The pixels of views.
     *
     * @param manager their owner
     * @param from the first view
     * @param to one more than the last
     * @return (to - from, 3, S, S) in [0, 1]
     * @throws IOException if a photograph cannot be read
     */
    NDArray pixels(NDManager manager, int from, int to) throws IOException {
        NDList list = new NDList();
        for (int view = from; view < to; view++) {
            list.add(view(manager, view));
        }
        return NDArrays.stack(list);
    }

    /**
     * The pixels of a still life.
     *
     * @param manager their owner
     * @param number which arrangement
     * @param size the height and width, S
     * @return (3, S, S) in [0, 1]
     */
    static NDArray stillLife(NDManager manager, int number, int size) {
        return pixels(manager, StillLife.arranged(number).draw().image(), size);
    }

    private static NDArray pixels(NDManager manager, Image image, int size) {
        NDArray pixels = image.resize(size, size, true).toNDArray(manager);
        return pixels.toType(DataType.FLOAT32, false).div(255).transpose(2, 0, 1);
    }

    /** A part lies anywhere; the same view is the same part every time. */
    private NDArray view(NDManager manager, int view) throws IOException {
        int part = view % (parts + 1);
        if (photos.isEmpty()) {
            return stillLife(manager, part, size);
        }
        int photo = view / (parts + 1);
        Picture picture = last;
        if (picture == null || photo != lastPhoto) {
            picture = picture(photo, 2 * size);
            last = picture;
            lastPhoto = photo;
        }
        Image image = picture.image();
        if (part == 0) {
            return pixels(manager, image, size);
        }
        Random random = new Random(view);
        random.nextDouble(); // the first draws of neighbouring seeds are alike
        double scale = SMALLEST + (1 - SMALLEST) * random.nextDouble();
        int width = Math.max(1, (int) (scale * image.getWidth()));
        int height = Math.max(1, (int) (scale * image.getHeight()));
        int x = random.nextInt(image.getWidth() - width + 1);
        int y = random.nextInt(image.getHeight() - height + 1);
        NDArray pixels = pixels(manager, image.getSubImage(x, y, width, height), size);
        return random.nextBoolean() ? pixels.flip(2) : pixels;
    }
}
