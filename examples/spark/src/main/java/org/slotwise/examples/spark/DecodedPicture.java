package org.slotwise.examples.spark;

import ai.djl.modality.cv.Image;
import java.io.IOException;
import org.slotwise.data.file.PictureDecoder;

/**
 * A picture in memory.
 *
 * @param path where it comes from
 * @param image its pixels
 */
record DecodedPicture(String path, Image image) {

    /**
     * Decodes a picture as training and servers do, after a look at the size that it declares.
     *
     * @param mostPixels how many it may have
     * @throws IOException if it is none, is damaged, or is larger
     */
    static DecodedPicture of(String path, byte[] bytes, long mostPixels) throws IOException {
        return new DecodedPicture(path, new PictureDecoder(mostPixels).decode(bytes));
    }

    long pixels() {
        return (long) image.getWidth() * image.getHeight();
    }
}
