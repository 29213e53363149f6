package org.slotwise.image;

import ai.djl.modality.Input;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.BytesSupplier;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.file.PictureDecoder;

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
     * @param decoder what reads the picture
     * @throws RefusedRequestException if it cannot be answered
     */
    static PictureRequest of(String who, Input input, PictureDecoder decoder)
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
        return new PictureRequest(image(who, input, decoder), form);
    }

    private static Image image(String who, Input input, PictureDecoder decoder)
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
            return decoder.decode(bytes);
        } catch (IOException e) {
            throw new RefusedRequestException(400, "Bad Request", who + ": " + e.getMessage());
        }
    }

    private static String shown(@Nullable String text) {
        String all = String.valueOf(text);
        return all.length() <= SHOWN ? all : all.substring(0, SHOWN) + "...";
    }
}
