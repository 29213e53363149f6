package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

/**
 * The images of a folder and of the folders in it, with masks from a second folder if there is one.
 *
 * <p>Images are PNG, JPEG, BMP and GIF files, in the order of their paths. Each is cut to the
 * largest window in its middle that has the proportions wanted, and resized as {@link Scene#resize}
 * says. Alpha is dropped; an orientation in the metadata of a photograph is not heeded.
 *
 * <p>The mask of {@code a/b.jpg} is {@code a/b.png} in the folder of masks, of the same size as the
 * image. With one channel, the value stored there, a grey value or the index in a palette, is the
 * label; it must be at most 255. With more channels, each colour is an object: the colours of an
 * image, sorted by 0xRRGGBB, get labels 1, 2, and so on, and black gets 0; at most 255 colours. The
 * number of objects is the number of labels that occur in the part of the image that is kept,
 * without 0.
 *
 * <p>An image that is damaged or cut short, or whose mask is missing, gives a {@link
 * SceneFileException} that says which file. A JPEG decoder only warns of damage and paints the rest
 * grey: here that is an error too.
 */
public final class ImageFolder implements Scenes {

    private static final Set<String> KINDS = Set.of("png", "jpg", "jpeg", "bmp", "gif");

    private final Path folder;
    private final @Nullable Path masks;
    private final int height;
    private final int width;
    private final List<Path> files;

    private ImageFolder(Builder builder, Path folder) throws IOException {
        this.folder = folder;
        masks = builder.masks;
        height = builder.height;
        width = builder.width;
        try (Stream<Path> all = Files.walk(folder)) {
            files =
                    all.filter(file -> KINDS.contains(ending(file)) && Files.isRegularFile(file))
                            .sorted(Comparator.comparing(file -> name(folder.relativize(file))))
                            .toList();
        }
        if (files.isEmpty()) {
            throw new SceneFileException(folder, "no image in this folder", null);
        }
    }

    private static String ending(Path file) {
        String name = name(file);
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    /** The same on every system, so that the order is. */
    private static String name(Path path) {
        return path.toString().replace('\\', '/');
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return files.size();
    }

    /**
     * The file of a scene.
     *
     * @param index from 0 to size - 1
     * @return the path of the image
     */
    public Path file(long index) {
        return files.get((int) Objects.checkIndex(index, size()));
    }

    /**
     * {@inheritDoc}
     *
     * @throws SceneFileException if the image or its mask is damaged, or there is no mask for it
     */
    @Override
    public Scene get(long index) throws IOException {
        Path file = file(index);
        ImageFile image = ImageFile.read(file);
        Scene whole;
        if (masks == null) {
            whole = new Scene(image.height(), image.width(), image.rgb());
        } else {
            String name = name(folder.relativize(file));
            Path maskFile = masks.resolve(name.substring(0, name.lastIndexOf('.')) + ".png");
            if (!Files.exists(maskFile)) {
                throw new SceneFileException(file, "its mask " + maskFile + " is missing", null);
            }
            ImageFile mask = ImageFile.read(maskFile);
            if (mask.height() != image.height() || mask.width() != image.width()) {
                throw new SceneFileException(
                        maskFile,
                        String.format(
                                "the mask has %d x %d pixels and its image %d x %d",
                                mask.height(), mask.width(), image.height(), image.width()),
                        null);
            }
            whole = new Scene(image.height(), image.width(), image.rgb(), mask.labels());
        }
        Scene kept =
                whole.crop(Crop.centre(image.height(), image.width(), height, width))
                        .resize(height, width);
        // Counts the objects anew: some may have been cut away.
        return kept.hasMask() ? new Scene(height, width, kept.image(), kept.mask()) : kept;
    }

    /**
     * Starts the description of a folder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes an {@link ImageFolder}. */
    public static final class Builder {
        private @Nullable Path folder;
        private @Nullable Path masks;
        private int height;
        private int width;

        private Builder() {}

        /**
         * Sets the folder of the images.
         *
         * @param folder with at least one image in it or in a folder below
         * @return this
         */
        public Builder setFolder(Path folder) {
            this.folder = folder;
            return this;
        }

        /**
         * Sets the size that images and masks are brought to.
         *
         * @param height in pixels, at least 1
         * @param width in pixels, at least 1
         * @return this
         */
        public Builder setSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets the folder of the masks.
         *
         * @param masks a PNG file for each image; no masks if not set
         * @return this
         */
        public Builder optMasks(Path masks) {
            this.masks = masks;
            return this;
        }

        /**
         * Lists the folder. Images are read when they are asked for.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws SceneFileException if there is no image
         * @throws IOException if the folder cannot be read
         */
        public ImageFolder build() throws IOException {
            if (folder == null) {
                throw new IllegalArgumentException("ImageFolder: the folder is missing");
            }
            Check.option(
                    height > 0 && width > 0,
                    "ImageFolder: height and width must be at least 1, got "
                            + (height + " and " + width));
            return new ImageFolder(this, folder);
        }
    }
}
