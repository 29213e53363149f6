package org.slotwise.data.file;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneSource;

/** Small pictures and masks as files have them, and what readers make of them. */
final class Pictures {

    private Pictures() {}

    private static byte[] file(BufferedImage image, String format) {
        try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalStateException(format);
            }
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Noise in colours, with a seed. */
    static byte[] png(int height, int width, long seed) {
        return file(noise(height, width, seed), "png");
    }

    static byte[] jpeg(int height, int width, long seed) {
        return file(noise(height, width, seed), "jpg");
    }

    /** A JPEG file with a note of how the camera was held, 1 to 8. */
    static byte[] held(byte[] jpeg, int orientation) {
        byte[] exif = {
            // the segment, 34 bytes without its mark, then a TIFF file of one entry: 0x0112, a
            // short
            -1,
            -31,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0,
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            18,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            (byte) orientation,
            0,
            0,
            0,
            0,
            0,
            0
        };
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.write(jpeg, 0, 2);
        file.writeBytes(exif);
        file.write(jpeg, 2, jpeg.length - 2);
        return file.toByteArray();
    }

    private static BufferedImage noise(int height, int width, long seed) {
        Random random = new Random(seed);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, random.nextInt(1 << 24));
            }
        }
        return image;
    }

    /** Labels in a palette. */
    static byte[] mask(int height, int width, int... labels) {
        byte[] levels = new byte[256];
        for (int i = 0; i < 256; i++) {
            levels[i] = (byte) (37 * i);
        }
        IndexColorModel palette = new IndexColorModel(8, 256, levels, levels, levels);
        BufferedImage image =
                new BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, palette);
        for (int p = 0; p < height * width; p++) {
            image.getRaster().setSample(p % width, p / width, 0, labels[p % labels.length]);
        }
        return file(image, "png");
    }

    /** A mask of 16 bits. */
    static byte[] deepMask(int height, int width, int label) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setSample(0, 0, 0, label);
        return file(image, "png");
    }

    /** What a picture and its mask are, as a scene of their own size. */
    static Scene scene(byte[] picture, byte[] mask) throws IOException {
        Place place = new Place(java.nio.file.Path.of("expected"), 0, "");
        ImageFile image = ImageFile.picture(place, picture, 1 << 20);
        if (mask == null) {
            return new Scene(image.height(), image.width(), image.values());
        }
        ImageFile labels = ImageFile.mask(place, mask, 1 << 20, false);
        return new Scene(image.height(), image.width(), image.values(), labels.values());
    }

    /** All scenes; what is wrong comes as readers throw it. */
    static java.util.List<Scene> read(SceneSource source) throws IOException {
        try (Stream<Scene> scenes = source.open()) {
            return scenes.toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
