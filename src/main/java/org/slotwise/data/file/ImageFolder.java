package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;

/**
 * The images of a folder and of the folders in it, with masks from a second folder, or beside them,
 * if there are some.
 *
 * <p>Images are PNG, JPEG, BMP and GIF files, and WebP files with {@code
 * com.twelvemonkeys.imageio:imageio-webp} on the class path, in the order of their paths. Links are
 * followed. Files and folders whose names begin with a dot are passed over, as are {@code __MACOSX}
 * and {@code @eaDir}. An image of another kind (TIFF, HEIC and the like) is an error unless it is
 * to be left out.
 *
 * <p>Each image is cut to the largest window in its middle that has the proportions wanted, unless
 * another {@linkplain Builder#optFit fit} is set, and resized as {@link Scene#resize} says.
 * Transparent pixels are seen on white paper; a photograph is turned as the orientation in its
 * metadata says, and its mask is one of the picture so turned. A GIF file gives its first frame on
 * its screen, in the transparent or else the background colour where the frame does not reach.
 *
 * <p>The mask of {@code a/b.jpg} is {@code a/b.png} in the folder of masks, of the same size as the
 * image. With one channel, the value stored there, a grey value or the index in a palette, is the
 * label; it must be at most 255. With more channels, each colour is an object: the colours of an
 * image, sorted by 0xRRGGBB, get labels 1, 2, and so on, and black gets 0; at most 255 colours. The
 * number of objects is the number of labels that occur in the part of the image that is kept,
 * without 0 and without the void label. What lies in the folder of masks, or has the ending of
 * masks where they lie beside the images, is no image.
 *
 * <p>An image that is damaged or cut short, or whose mask is missing, gives a {@link
 * SceneFileException} that says which file. A JPEG decoder only warns of damage and paints the rest
 * grey: here that is an error too. The checksums of PNG files are verified; the other kinds have
 * none, so that a changed byte there can go unnoticed. An image that declares more pixels than are
 * allowed is refused before anything of that size is allocated.
 */
public final class ImageFolder implements Scenes {

    private final Path folder;
    private final @Nullable Path masks;
    private final String maskEnding;
    private final boolean partlyMasked;
    private final PictureScenes pictures;
    private final List<Path> files;

    private ImageFolder(Builder builder, Path folder, PictureScenes pictures) throws IOException {
        this.folder = folder;
        maskEnding = builder.maskEnding == null ? ".png" : builder.maskEnding;
        Path given = builder.masks;
        masks = given == null && builder.maskEnding != null ? folder : given;
        partlyMasked = builder.partlyMasked;
        this.pictures = pictures;
        files = FolderListing.of(folder, masksIn(folder), builder.leaveOutOtherKinds);
        if (masks != null && partlyMasked) {
            MaskNames.requireAlike(files, file -> maskFile(file, masks), masks, maskEnding);
        }
    }

    /** Which paths in the folder of images are masks. */
    private Predicate<Path> masksIn(Path folder) throws IOException {
        if (masks == null) {
            return path -> false;
        }
        Path own = masks.toRealPath();
        if (own.equals(folder.toRealPath())) {
            return path -> FolderListing.name(path).endsWith(maskEnding);
        }
        return path -> Files.isDirectory(path) && isSame(path, own);
    }

    private static boolean isSame(Path path, Path real) {
        try {
            return path.toRealPath().equals(real);
        } catch (IOException e) {
            return false; // whoever goes into it will say why
        }
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
     * @throws SceneFileException if the image or its mask is damaged, or there is no mask for it,
     *     where there must be
     */
    @Override
    public Scene get(long index) throws IOException {
        Path file = file(index);
        Path maskFile = masks == null ? null : mask(file, masks);
        return pictures.read(file, maskFile);
    }

    private @Nullable Path mask(Path file, Path masks) throws IOException {
        Path maskFile = maskFile(file, masks);
        if (Files.exists(maskFile)) {
            return maskFile;
        }
        if (Files.isSymbolicLink(maskFile)) {
            throw new SceneFileException(maskFile, "this link leads nowhere", null);
        }
        if (partlyMasked) {
            return null;
        }
        String almost = MaskNames.almost(maskFile);
        String missing = "its mask " + maskFile + " is missing";
        throw new SceneFileException(
                file,
                almost == null ? missing : missing + "; there is " + almost + ", which is not it",
                null);
    }

    private Path maskFile(Path file, Path masks) {
        return masks.resolve(stem(file) + maskEnding);
    }

    private String stem(Path file) {
        return MaskNames.stem(FolderListing.name(folder.relativize(file)));
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
        private @Nullable String maskEnding;
        private int voidLabel = PictureScenes.NO_VOID;
        private int height;
        private int width;
        private long maxPixels = ImageFile.MOST_PIXELS;
        private boolean leaveOutOtherKinds;
        private boolean partlyMasked;
        private PictureFit fit = PictureFit.CROP;

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
         * @param masks a file for each image; may be the folder of images, or lie in it; no masks
         *     if neither this nor their ending is set
         * @return this
         */
        public Builder optMasks(Path masks) {
            this.masks = masks;
            return this;
        }

        /**
         * Sets how the names of masks end: what takes the place of an image's own ending. Without a
         * folder of masks they lie beside the images, as in ClevrTex as it is published, where the
         * mask of {@code 0/CLEVRTEX_full_000000.png} is {@code 0/CLEVRTEX_full_000000_flat.png}.
         *
         * @param ending such as {@code "_flat.png"}; {@code ".png"} if not set
         * @return this
         */
        public Builder optMaskEnding(String ending) {
            this.maskEnding = ending;
            return this;
        }

        /**
         * Sets which label of a mask means that a pixel belongs to nothing, neither to an object
         * nor to the background, such as the borders in Pascal VOC. A {@link SceneDataset} gives -1
         * for it, which metrics leave out. Masks must have one channel.
         *
         * @param label from 0 to 255, such as 255; none if not set
         * @return this
         */
        public Builder optVoid(int label) {
            voidLabel = PictureScenes.checkedVoid("ImageFolder", label);
            return this;
        }

        /**
         * Sets how pictures of other proportions come to that size.
         *
         * @param fit {@link PictureFit#CROP} if not set
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Sets how many pixels an image or a mask may declare. Reading one takes up to 16 bytes of
         * memory for each.
         *
         * @param maxPixels at least 1; 33554432, as many as 5792 x 5792, if not set
         * @return this
         */
        public Builder optMaxPixels(long maxPixels) {
            this.maxPixels = maxPixels;
            return this;
        }

        /**
         * Sets whether images of kinds that are not read (TIFF, HEIC, AVIF, JPEG 2000, JPEG XL,
         * TGA, PSD, and WebP without its reader) are passed over.
         *
         * @param leaveOut true to pass them over; an error if not set
         * @return this
         */
        public Builder optLeaveOutOtherKinds(boolean leaveOut) {
            leaveOutOtherKinds = leaveOut;
            return this;
        }

        /**
         * Sets whether an image may lack a mask where others have some: its scene has none then.
         *
         * @param partly true if it may; an error if not set. Where an image has none, a mask that
         *     is no image's is an error, as it may be called otherwise than the image
         * @return this
         */
        public Builder optPartlyMasked(boolean partly) {
            partlyMasked = partly;
            return this;
        }

        /**
         * Lists the folder. Images are read when they are asked for.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws SceneFileException if there is no image, or one of a kind that is not read, or no
         *     mask at all, or a mask that is nobody's beside an image without
         * @throws IOException if the folder cannot be read
         */
        public ImageFolder build() throws IOException {
            if (folder == null) {
                throw new IllegalArgumentException("ImageFolder: the folder is missing");
            }
            PictureScenes pictures =
                    PictureScenes.of("ImageFolder", height, width, voidLabel, maxPixels).with(fit);
            Check.option(
                    maskEnding == null || maskEnding.lastIndexOf('.') >= 0,
                    "ImageFolder: the ending of masks must have a dot, got " + maskEnding);
            return new ImageFolder(this, folder, pictures);
        }
    }
}
