package org.slotwise.data.file;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.RgbBytes;

/**
 * An image file that was decoded.
 *
 * @param height H
 * @param width W
 * @param values red, green and blue (H, W, 3), or labels (H, W)
 */
@SuppressWarnings("ArrayRecordComponent")
record ImageFile(int height, int width, byte[] values) {

    /** How many pixels an image may declare if nothing else is asked for: 5792 x 5792. */
    static final long MOST_PIXELS = 1 << 25;

    /** No kind takes more for a pixel, but for what lies around the pixels. */
    private static final int BYTES_OF_PIXEL = 8;

    private static final int AROUND = 1 << 20;

    /** What is seen through transparent pixels: what a translator puts there, too. */
    private static final int PAPER = 0xFFFFFF;

    /** Warnings of the decoders that mean lost pixels; they have others, of odd metadata. */
    private static final Pattern DAMAGE =
            Pattern.compile("truncated|premature|corrupt jpeg data|out-of-sequence");

    /**
     * Reads and decodes a picture: red, green and blue, as it is seen on white paper.
     *
     * @param mostPixels how many pixels it may declare
     * @throws SceneFileException if it is damaged, cut short, too large or no image
     */
    static ImageFile picture(Path file, long mostPixels) throws IOException {
        return picture(Place.of(file), InputFile.bytes(file, mostBytes(mostPixels)), mostPixels);
    }

    /**
     * Decodes a picture: red, green and blue, as it is seen on white paper.
     *
     * @param place where it comes from
     * @param bytes the picture's file
     * @param mostPixels how many pixels it may declare
     * @throws SceneFileException if it is damaged, cut short, too large or no image
     */
    static ImageFile picture(Place place, byte[] bytes, long mostPixels) throws IOException {
        BufferedImage image = upright(place, bytes, mostPixels);
        return new ImageFile(image.getHeight(), image.getWidth(), RgbBytes.of(image, PAPER));
    }

    /**
     * Reads and decodes a picture as Pillow's {@code convert("RGB")} gives it ({@link
     * PictureFolder#asStored}).
     *
     * @param mostPixels how many pixels it may declare
     * @throws SceneFileException if it is damaged, cut short, too large or no image
     */
    static ImageFile stored(Path file, long mostPixels) throws IOException {
        byte[] bytes = InputFile.bytes(file, mostBytes(mostPixels));
        PictureKind kind = PictureKind.of(bytes);
        boolean profiled = kind == PictureKind.JPEG;
        BufferedImage image =
                decoded(Place.of(file), profiled ? JpegProfile.without(bytes) : bytes, mostPixels);
        boolean cut = kind == PictureKind.PNG && PngChunks.isGreyOf16Bits(bytes);
        return new ImageFile(
                image.getHeight(),
                image.getWidth(),
                cut ? RgbBytes.cut(image) : RgbBytes.stored(image));
    }

    /**
     * Decodes a picture, turned as it was seen.
     *
     * @param place where it comes from
     * @param bytes the picture's file
     * @param mostPixels how many pixels it may declare
     * @throws SceneFileException if it is damaged, cut short, too large or no image
     */
    static BufferedImage upright(Place place, byte[] bytes, long mostPixels) throws IOException {
        BufferedImage image = decoded(place, bytes, mostPixels);
        return PictureKind.of(bytes) == PictureKind.JPEG
                ? Orientation.of(bytes).upright(image)
                : image;
    }

    /**
     * Reads and decodes a mask.
     *
     * @param mostPixels how many pixels it may declare
     * @param needsLabels whether colours, which are numbered, are refused
     * @throws SceneFileException if it is damaged, cut short, too large, no image, or has too many
     *     labels
     */
    static ImageFile mask(Path file, long mostPixels, boolean needsLabels) throws IOException {
        byte[] bytes = InputFile.bytes(file, mostBytes(mostPixels));
        return mask(Place.of(file), bytes, mostPixels, needsLabels);
    }

    /**
     * Decodes a mask: the label of each pixel, as {@link ImageFolder} describes.
     *
     * @param place where it comes from
     * @param bytes the mask's file
     * @param mostPixels how many pixels it may declare
     * @param needsLabels whether colours, which are numbered, are refused
     * @throws SceneFileException if it is damaged, cut short, too large, no image, or has too many
     *     labels
     */
    static ImageFile mask(Place place, byte[] bytes, long mostPixels, boolean needsLabels)
            throws IOException {
        BufferedImage image = decoded(place, bytes, mostPixels);
        boolean labels = RgbBytes.isGrey(image) || image.getColorModel() instanceof IndexColorModel;
        if (needsLabels && !labels) {
            throw place.wrong(
                    "a void label needs masks of one channel, and this one has colours", null);
        }
        return new ImageFile(
                image.getHeight(),
                image.getWidth(),
                labels ? MaskLabels.values(place, image) : MaskLabels.colours(place, image));
    }

    /** How many bytes a file may have, of whatever kind, for a number of pixels. */
    static long mostBytes(long mostPixels) {
        return mostPixels > Integer.MAX_VALUE / BYTES_OF_PIXEL
                ? Integer.MAX_VALUE - AROUND
                : BYTES_OF_PIXEL * mostPixels + AROUND;
    }

    private static BufferedImage decoded(Place place, byte[] bytes, long mostPixels)
            throws IOException {
        if (bytes.length == 0) {
            throw place.wrong("the file is empty", null);
        }
        PictureKind kind = PictureKind.of(bytes);
        if (kind == null) {
            throw place.wrong("not an image of a known kind: " + PictureKind.all(), null);
        }
        ImageReader reader = kind.reader();
        if (reader == null) { // before it is looked at what is wrong with it
            throw place.wrong(
                    "an image in WebP, for which there is no reader: " + PictureKind.all(), null);
        }
        try (ImageInputStream in = new PictureBytes(bytes)) {
            switch (kind) {
                case PNG -> PngChunks.check(place, bytes);
                case BMP -> BmpHeader.check(place, bytes);
                case WEBP -> checkRiff(place, bytes);
                default -> {}
            }
            return decoded(place, kind, bytes, reader, in, mostPixels);
        } finally {
            reader.dispose();
        }
    }

    /** The container of WebP says how long it is. */
    private static void checkRiff(Place place, byte[] bytes) throws SceneFileException {
        int size = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
        if ((size & 0xffffffffL) + 8 > bytes.length) {
            throw place.wrong("the image is cut short", null);
        }
    }

    private static BufferedImage decoded(
            Place place,
            PictureKind kind,
            byte[] bytes,
            ImageReader reader,
            ImageInputStream in,
            long mostPixels)
            throws IOException {
        List<String> damage = new ArrayList<>();
        reader.addIIOReadWarningListener(
                (source, warning) -> {
                    if (DAMAGE.matcher(warning.toLowerCase(Locale.ROOT)).find()) {
                        damage.add(warning);
                    }
                });
        BufferedImage image;
        try {
            reader.setInput(in, true, kind != PictureKind.GIF);
            GifScreen screen = kind == PictureKind.GIF ? GifScreen.of(bytes, reader) : null;
            checkSize(place, mostPixels, reader, screen);
            image = reader.read(0);
            image = screen == null ? image : screen.with(image);
        } catch (SceneFileException e) {
            throw e;
        } catch (IOException | RuntimeException e) { // decoders fail in both ways
            throw place.wrong("the image cannot be decoded: " + e.getMessage(), e);
        } catch (OutOfMemoryError | StackOverflowError e) { // at what the file says, mostly
            throw place.wrong("the image cannot be decoded in the memory that there is", e);
        }
        if (!damage.isEmpty()) {
            throw place.wrong("the image is damaged: " + damage.get(0), null);
        }
        return image;
    }

    /** Before anything of that size is allocated. */
    private static void checkSize(
            Place place, long mostPixels, ImageReader reader, @Nullable GifScreen screen)
            throws IOException {
        long height = screen == null ? reader.getHeight(0) : screen.height();
        long width = screen == null ? reader.getWidth(0) : screen.width();
        if (height < 1 || width < 1) {
            throw place.wrong(
                    "the image says that it has " + height + " x " + width + " pixels", null);
        }
        if (height * width > mostPixels) {
            throw place.wrong(
                    String.format(
                            Locale.ROOT,
                            "the image says that it has %d x %d pixels, more than %d in all%s",
                            height,
                            width,
                            mostPixels,
                            place.equals(PictureDecoder.SENT)
                                    ? ""
                                    : "; optMaxPixels lets larger ones pass"),
                    null);
        }
    }
}
