package org.slotwise.image;

import ai.djl.modality.cv.output.Point;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;
import java.util.Iterator;
import java.util.Objects;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * Some pixels of an image: those of an object. It does not change.
 *
 * <p>As bits, as COCO's run lengths ({@link RunLengthEncoding}) and as a PNG of one bit a pixel;
 * all three can be read back.
 */
public final class PixelMask {

    private static final String WHO = "PixelMask";

    private final int height;
    private final int width;
    private final BitSet bits; // row by row
    private final int area;
    private final PixelBox box;

    /**
     * Some pixels of an image.
     *
     * @param height H, at least 1
     * @param width W, at least 1
     * @param bits pixel (y, x) is the bit y W + x; copied
     * @throws IllegalArgumentException if a size is out of range, or a bit lies beyond the image
     */
    public PixelMask(int height, int width, BitSet bits) {
        checkSize(WHO, height, width);
        Check.option(
                bits.length() <= height * width,
                WHO
                        + (": bits must be below " + height * width)
                        + (", got one of " + (bits.length() - 1)));
        this.height = height;
        this.width = width;
        this.bits = (BitSet) bits.clone();
        area = this.bits.cardinality();
        box = around();
    }

    static void checkSize(String who, int height, int width) {
        Check.option(
                height > 0 && width > 0,
                who + ": the size must be at least 1 x 1, got " + height + " x " + width);
        Limits.numbers(who, "a mask", height, width);
    }

    private PixelBox around() {
        if (area == 0) {
            return new PixelBox(0, 0, 0, 0);
        }
        int left = width;
        int right = 0;
        for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
            left = Math.min(left, i % width);
            right = Math.max(right, i % width);
        }
        int top = bits.nextSetBit(0) / width;
        int bottom = (bits.length() - 1) / width;
        return new PixelBox(left, top, right - left + 1, bottom - top + 1);
    }

    /**
     * The image's height.
     *
     * @return H
     */
    public int height() {
        return height;
    }

    /**
     * The image's width.
     *
     * @return W
     */
    public int width() {
        return width;
    }

    /**
     * Whether a pixel is one of them.
     *
     * @param y the row, from 0
     * @param x the column, from 0
     * @return true if it is
     * @throws IndexOutOfBoundsException if it is no pixel of the image
     */
    public boolean at(int y, int x) {
        Objects.checkIndex(y, height);
        return bits.get(y * width + Objects.checkIndex(x, width));
    }

    /**
     * All pixels.
     *
     * @return a copy; pixel (y, x) is the bit y W + x
     */
    public BitSet bits() {
        return (BitSet) bits.clone();
    }

    /**
     * How many pixels there are.
     *
     * @return from 0 to H W
     */
    public int area() {
        return area;
    }

    /**
     * The smallest rectangle around the pixels.
     *
     * @return a box; of no size, at (0, 0), if there is no pixel
     */
    public PixelBox box() {
        return box;
    }

    /**
     * The mean of the pixels' centres, where the first pixel's is (0.5, 0.5).
     *
     * @return x from left to right, and y from top to bottom, in pixels
     * @throws IllegalStateException if there is no pixel
     */
    public Point centre() {
        if (area == 0) {
            throw new IllegalStateException(WHO + ": a mask without pixels has no centre");
        }
        double x = 0;
        double y = 0;
        for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
            int row = i / width;
            x += i - row * width;
            y += row;
        }
        return new Point(x / area + 0.5, y / area + 0.5);
    }

    /**
     * The pixels as a picture.
     *
     * @return a PNG of one bit a pixel: white where a pixel is one of them, black elsewhere
     */
    public byte[] toPng() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_BINARY);
        for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
            image.getRaster().setSample(i % width, i / width, 0, 1);
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        // Through a file of Java's own it would be closed when the process is asked to end.
        try (ImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return png.toByteArray();
    }

    /**
     * Reads what {@link #toPng} gives, or another picture without transparent pixels.
     *
     * @param png the bytes of a picture
     * @return the pixels that are not black
     * @throws IllegalArgumentException if it is no picture, or too large
     */
    public static PixelMask fromPng(byte[] png) {
        BufferedImage image;
        try {
            image = read(png);
        } catch (IOException | RuntimeException e) {
            // Java's readers throw what they like for damaged files.
            throw new IllegalArgumentException(
                    WHO + ": png must be a picture, got " + png.length + " bytes: " + e, e);
        }
        BitSet bits = new BitSet();
        int[] row = new int[image.getWidth()];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, row.length, 1, row, 0, row.length);
            for (int x = 0; x < row.length; x++) {
                bits.set(y * row.length + x, (row[x] & 0xFFFFFF) != 0);
            }
        }
        return new PixelMask(image.getHeight(), image.getWidth(), bits);
    }

    private static BufferedImage read(byte[] png) throws IOException {
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(png))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException("no known format");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                checkSize(WHO, reader.getHeight(0), reader.getWidth(0));
                return reader.read(0);
            } finally {
                reader.dispose();
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof PixelMask mask
                && height == mask.height
                && width == mask.width
                && bits.equals(mask.bits);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * (31 * height + width) + bits.hashCode();
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return WHO + "[" + area + " of " + height + " x " + width + "]";
    }
}
