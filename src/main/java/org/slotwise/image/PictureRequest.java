package org.slotwise.image;

import ai.djl.modality.Input;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.BytesSupplier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for.
 *
 * @param image the picture that was sent
 * @param form how the answer is given
 */
record PictureRequest(Image image, AnswerForm form) {

    /** The longest part of a request that is given back. */
    private static final int SHOWN = 100;

    /**
     * Reads a request.
     *
     * @param who whose errors they are
     * @param mostPixels how many pixels the picture may have
     * @throws RefusedRequestException if it cannot be answered
     */
    static PictureRequest of(String who, Input input, long mostPixels)
            throws RefusedRequestException {
        String accept = input.getProperty("Accept", null);
        AnswerForm form = AnswerForm.accepted(accept);
        if (form == null) {
            throw new RefusedRequestException(
                    406,
                    "Not Acceptable",
                    who
                            + ": Accept must allow application/json or image/png, got "
                            + shown(accept));
        }
        return new PictureRequest(image(who, input, mostPixels), form);
    }

    private static Image image(String who, Input input, long mostPixels)
            throws RefusedRequestException {
        String type = input.getProperty("Content-Type", "").toLowerCase(Locale.ROOT);
        if (type.startsWith(AnswerForm.JSON.mediaType())) {
            // DJL's own translator would fetch what an "image_url" in it names, from anywhere.
            throw new RefusedRequestException(
                    415,
                    "Unsupported Media Type",
                    who + ": the picture itself must be sent, got " + AnswerForm.JSON.mediaType());
        }
        BytesSupplier data = input.getData();
        byte[] bytes = data == null ? new byte[0] : data.getAsBytes();
        if (bytes.length == 0) {
            throw new RefusedRequestException(400, "Bad Request", who + ": no picture was sent");
        }
        try {
            checkSize(who, bytes, mostPixels);
            return ImageFactory.getInstance().fromInputStream(new ByteArrayInputStream(bytes));
        } catch (IOException | RuntimeException e) { // decoders fail in both ways
            throw new RefusedRequestException(
                    400,
                    "Bad Request",
                    who
                            + (": a picture that can be decoded must be sent, got " + bytes.length)
                            + (" bytes: " + shown(e.getMessage())));
        }
    }

    /** Before anything of that size is allocated. */
    private static void checkSize(String who, byte[] bytes, long mostPixels)
            throws IOException, RefusedRequestException {
        try (ImageInputStream in =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException("of no known kind");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long height = reader.getHeight(0);
                long width = reader.getWidth(0);
                if (height * width > mostPixels) {
                    throw new RefusedRequestException(
                            413,
                            "Content Too Large",
                            who
                                    + (": a picture may have " + mostPixels + " pixels, got ")
                                    + (height + " x " + width));
                }
            } finally {
                reader.dispose();
            }
        }
    }

    private static String shown(@Nullable String text) {
        String all = String.valueOf(text);
        return all.length() <= SHOWN ? all : all.substring(0, SHOWN) + "...";
    }
}
