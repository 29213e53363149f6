package org.slotwise.data.file;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.nio.file.Path;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;

/**
 * Decodes pictures at their own size, also those that somebody sent: PNG, JPEG, BMP, GIF and, with
 * its reader on the class path, WebP, each known by its first bytes.
 *
 * <p>DJL's {@code ImageFactory} takes what Java's decoders make of a damaged file for the picture,
 * sets aside as much memory as the file says that it needs, and leaves a photograph as the camera's
 * sensor saw it. Here a picture that is cut short, damaged or too large is an error, how large it
 * says to be is looked at before memory is set aside, and a photograph is turned as the notes in
 * its file say.
 */
public final class PictureDecoder {

    /** Where the pictures come from, which is not known. */
    static final Place SENT = Place.of(Path.of("picture"));

    private final long mostPixels;

    /** A decoder of pictures of up to 5792 x 5792 pixels. */
    public PictureDecoder() {
        this(ImageFile.MOST_PIXELS);
    }

    /**
     * A decoder.
     *
     * @param mostPixels how many pixels a picture may have, at least 1
     * @throws IllegalArgumentException if that is less than 1
     */
    public PictureDecoder(long mostPixels) {
        Check.option(
                mostPixels >= 1,
                "PictureDecoder: mostPixels must be at least 1, got " + mostPixels);
        this.mostPixels = mostPixels;
    }

    /**
     * Decodes a picture.
     *
     * @param bytes a file's content
     * @return the picture in Java's memory, upright, with transparency if it has some
     * @throws SceneFileException if it is damaged, cut short, too large or no picture; the message
     *     says which
     * @throws IOException if it cannot be read for another reason
     */
    public Image decode(byte[] bytes) throws IOException {
        if (bytes.length > ImageFile.mostBytes(mostPixels)) {
            throw SENT.wrong("it has more bytes than one of " + mostPixels + " pixels", null);
        }
        return new BufferedImageFactory().fromImage(ImageFile.upright(SENT, bytes, mostPixels));
    }

    /**
     * Decodes a picture of one's own, as {@link ImageFolder} reads it, at its own size: a model is
     * asked about what it was trained on.
     *
     * @param file the picture's file
     * @return the picture in Java's memory, upright, with transparency if it has some
     * @throws SceneFileException if it is damaged, cut short, too large or no picture; the message
     *     names the file
     * @throws IOException if it cannot be read for another reason
     */
    public Image decode(Path file) throws IOException {
        byte[] bytes = InputFile.bytes(file, ImageFile.mostBytes(mostPixels));
        return new BufferedImageFactory()
                .fromImage(ImageFile.upright(Place.of(file), bytes, mostPixels));
    }
}
