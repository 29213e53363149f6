package org.slotwise.examples.spark;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * A picture in memory.
 *
 * @param path where it comes from
 * @param image its pixels
 */
record DecodedPicture(String path, Image image) {

    /**
     * Decodes a picture as DJL does, after a look at the size that it declares.
     *
     * @param mostPixels how many it may have
     * @throws IOException if it is none, is damaged, or is larger
     */
    static DecodedPicture of(String path, byte[] bytes, long mostPixels) throws IOException {
        try (ImageInputStream in =
                ImageIO.createImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException("not a picture that can be read");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > mostPixels) {
                    throw new IOException(pixels + " pixels are more than " + mostPixels);
                }
            } finally {
                reader.dispose();
            }
        }
        return new DecodedPicture(
                path, ImageFactory.getInstance().fromInputStream(new ByteArrayInputStream(bytes)));
    }

    long pixels() {
        return (long) image.getWidth() * image.getHeight();
    }
}
