package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;
import org.slotwise.internal.SmallPictureWarning;

/**
 * How pictures and their masks become scenes of one size, for all readers of pictures. The objects
 * are those that are seen there.
 *
 * @param height of the scenes
 * @param width of the scenes
 * @param fit how pictures of other proportions come to that size
 * @param voidLabel the label of pixels that belong to nothing; -1 if there is none
 * @param maxPixels how many pixels a picture or a mask may declare
 * @param small tells of one that is far too small
 */
record PictureScenes(
        int height,
        int width,
        PictureFit fit,
        int voidLabel,
        long maxPixels,
        SmallPictureWarning small) {

    static final int NO_VOID = -1;

    /**
     * Checks what builders are told.
     *
     * @param who the reader that asks
     */
    static PictureScenes of(String who, int height, int width, int voidLabel, long maxPixels) {
        Check.option(
                height > 0 && width > 0,
                who + ": height and width must be at least 1, got " + height + " and " + width);
        Check.option(maxPixels > 0, who + ": maxPixels must be at least 1, got " + maxPixels);
        Logger log = LoggerFactory.getLogger(PictureScenes.class.getPackageName() + "." + who);
        return new PictureScenes(
                height,
                width,
                PictureFit.CROP,
                voidLabel,
                maxPixels,
                new SmallPictureWarning(log, who));
    }

    /** The same with another fit. */
    PictureScenes with(PictureFit other) {
        return new PictureScenes(height, width, other, voidLabel, maxPixels, small);
    }

    /** Checks a label that stands for nothing. */
    static int checkedVoid(String who, int label) {
        Check.option(
                label >= 0 && label <= 255,
                who + ": the void label must be 0 to 255, got " + label);
        return label;
    }

    /** Of files. */
    Scene read(Path picture, @Nullable Path mask) throws IOException {
        return fitted(Place.of(picture), whole(picture, mask));
    }

    /** Of files, as large as they are. */
    Scene whole(Path picture, @Nullable Path mask) throws IOException {
        ImageFile image = ImageFile.picture(picture, maxPixels);
        return mask == null
                ? new Scene(image.height(), image.width(), image.values())
                : joined(image, Place.of(mask), ImageFile.mask(mask, maxPixels, voidLabel >= 0));
    }

    /**
     * A picture or a mask as its file has it.
     *
     * @param place where it comes from
     * @param bytes the file
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Encoded(Place place, byte[] bytes) {}

    /** Of what was read from a larger file. */
    Scene read(Encoded picture, @Nullable Encoded mask) throws IOException {
        ImageFile image = ImageFile.picture(picture.place(), picture.bytes(), maxPixels);
        if (mask == null) {
            Scene whole = new Scene(image.height(), image.width(), image.values());
            return fitted(picture.place(), whole);
        }
        ImageFile labels = ImageFile.mask(mask.place(), mask.bytes(), maxPixels, voidLabel >= 0);
        return fitted(picture.place(), joined(image, mask.place(), labels));
    }

    private static Scene joined(ImageFile image, Place place, ImageFile labels)
            throws SceneFileException {
        if (labels.height() != image.height() || labels.width() != image.width()) {
            throw place.wrong(
                    String.format(
                            Locale.ROOT,
                            "the mask has %d x %d pixels and its image %d x %d",
                            labels.height(),
                            labels.width(),
                            image.height(),
                            image.width()),
                    null);
        }
        return new Scene(image.height(), image.width(), image.values(), labels.values());
    }

    /**
     * A scene of any size in the size that is wanted.
     *
     * @param place where it comes from
     */
    Scene fitted(Place place, Scene whole) {
        small.see(whole.height(), whole.width(), height, width, place::says);
        Scene kept = fit.fitted(whole, height, width);
        if (!kept.hasMask()) {
            return kept;
        }
        // Counts the objects anew: some may have been cut away.
        Scene counted = new Scene(height, width, kept.image(), kept.mask());
        return voidLabel < 0 ? counted : counted.withVoid(voidLabel);
    }
}
