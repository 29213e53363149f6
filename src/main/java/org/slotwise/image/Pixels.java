package org.slotwise.image;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.slotwise.data.Crop;
import org.slotwise.internal.Resampling;
import org.slotwise.internal.RgbBytes;

/**
 * The colours of an image.
 *
 * @param height H
 * @param width W
 * @param rgb red, green and blue (H, W, 3)
 */
@SuppressWarnings("ArrayRecordComponent")
record Pixels(int height, int width, byte[] rgb) {

    static final int WHITE = 0xFFFFFF;

    /** The colours of an image as they look before a background. */
    static Pixels of(Image image, int background) {
        BufferedImage buffered = buffered(image);
        return new Pixels(
                buffered.getHeight(), buffered.getWidth(), RgbBytes.of(buffered, background));
    }

    private static BufferedImage buffered(Image image) {
        if (image.getWrappedImage() instanceof BufferedImage buffered) {
            return buffered;
        }
        // Another library's image: PNG is what all of them can write.
        try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            image.save(png, "png");
            return ImageIO.read(new ByteArrayInputStream(png.toByteArray()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The images of (..., 3, H, W), of which a value v is the colour v * deviation + mean. */
    static List<Pixels> each(NDArray images, float[] mean, float[] deviation) {
        long[] shape = images.getShape().getShape();
        int height = (int) shape[shape.length - 2];
        int width = (int) shape[shape.length - 1];
        int size = height * width;
        float[] values = SlotMasks.floats(images);
        List<Pixels> list = new ArrayList<>();
        for (int from = 0; from < values.length; from += 3 * size) {
            byte[] rgb = new byte[3 * size];
            for (int i = 0; i < rgb.length; i++) {
                int c = i % 3;
                rgb[i] = (byte) level(values[from + c * size + i / 3] * deviation[c] + mean[c]);
            }
            list.add(new Pixels(height, width, rgb));
        }
        return list;
    }

    /** A byte for a value in [0, 1]; what lies outside is black or white. */
    static int level(float value) {
        return Math.round(255 * Math.min(1, Math.max(0, value)));
    }

    /** A part of it. */
    Pixels cut(Crop window) {
        if (window.height() == height && window.width() == width) {
            return this;
        }
        byte[] part = new byte[3 * window.height() * window.width()];
        int row = 3 * window.width();
        for (int y = 0; y < window.height(); y++) {
            int from = 3 * ((window.top() + y) * width + window.left());
            System.arraycopy(rgb, from, part, y * row, row);
        }
        return new Pixels(window.height(), window.width(), part);
    }

    Pixels resize(int newHeight, int newWidth) {
        return height == newHeight && width == newWidth
                ? this
                : new Pixels(
                        newHeight,
                        newWidth,
                        Resampling.triangle(rgb, height, width, 3, newHeight, newWidth));
    }

    /** Red, green and blue of pixel i, row by row. */
    int at(int i) {
        return (rgb[3 * i] & 0xff) << 16 | (rgb[3 * i + 1] & 0xff) << 8 | (rgb[3 * i + 2] & 0xff);
    }

    Image image() {
        int[] colours = new int[height * width];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = at(i);
        }
        return image(colours, height, width, false);
    }

    /** An image of colours 0xRRGGBB, or 0xAARRGGBB where they may be transparent. */
    static Image image(int[] colours, int height, int width, boolean transparent) {
        BufferedImage image =
                new BufferedImage(
                        width,
                        height,
                        transparent ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, colours, 0, width);
        return image(image);
    }

    static Image image(BufferedImage image) {
        return new BufferedImageFactory().fromImage(image);
    }
}
