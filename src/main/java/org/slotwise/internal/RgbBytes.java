package org.slotwise.internal;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The colours of an image as they are stored, whatever its kind. */
public final class RgbBytes {

    private RgbBytes() {}

    /**
     * Red, green and blue of every pixel; transparency is passed over.
     *
     * @param image an image of any kind
     * @return (H, W, 3)
     */
    public static byte[] of(BufferedImage image) {
        int width = image.getWidth();
        if (hasRgbBytes(image)) {
            // Not by getRGB, which asks the colour model about every pixel.
            return elements(image.getRaster(), 3);
        }
        byte[] rgb = new byte[Math.multiplyExact(3 * image.getHeight(), width)];
        if (isGrey(image)) {
            // Not by getRGB: it takes grey values as linear and brightens them.
            int shift = Math.max(0, image.getColorModel().getComponentSize(0) - 8);
            int[] samples = new int[width];
            int at = 0;
            for (int y = 0; y < image.getHeight(); y++) {
                for (int sample : firstChannel(image, y, samples)) {
                    byte value = (byte) (sample >> shift);
                    rgb[at++] = value;
                    rgb[at++] = value;
                    rgb[at++] = value;
                }
            }
            return rgb;
        }
        int[] row = new int[width];
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int pixel : image.getRGB(0, y, width, 1, row, 0, width)) {
                rgb[at++] = (byte) (pixel >> 16);
                rgb[at++] = (byte) (pixel >> 8);
                rgb[at++] = (byte) pixel;
            }
        }
        return rgb;
    }

    /**
     * Red, green and blue of every pixel as numbers are stored: transparency is passed over, and of
     * 16 bits the first eight are taken, not rounded.
     *
     * @param image an image of any kind
     * @return (H, W, 3)
     */
    public static byte[] stored(BufferedImage image) {
        ColorModel model = image.getColorModel();
        boolean plain =
                model instanceof ComponentColorModel
                        && model.getNumColorComponents() == 3
                        && model.getColorSpace().isCS_sRGB()
                        && !model.isAlphaPremultiplied();
        if (!plain || hasRgbBytes(image)) {
            return of(image);
        }
        int shift = model.getComponentSize(0) - 8;
        return bands(image, new int[] {0, 1, 2}, sample -> sample >> shift);
    }

    /**
     * A grey image of 16 bits whose numbers above 255 are cut to 255, not scaled, as Pillow does
     * with those without transparency.
     *
     * @param image an image whose first channel is its brightness
     * @return (H, W, 3)
     */
    public static byte[] cut(BufferedImage image) {
        return bands(image, new int[] {0, 0, 0}, sample -> Math.min(sample, 255));
    }

    private static byte[] bands(BufferedImage image, int[] bands, IntUnaryOperator value) {
        int width = image.getWidth();
        byte[] rgb = new byte[Math.multiplyExact(3 * image.getHeight(), width)];
        int[] samples = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
            for (int c = 0; c < 3; c++) {
                image.getRaster().getSamples(0, y, width, 1, bands[c], samples);
                for (int x = 0; x < width; x++) {
                    rgb[(y * width + x) * 3 + c] = (byte) value.applyAsInt(samples[x]);
                }
            }
        }
        return rgb;
    }

    /** Whether red, green and blue of sRGB are stored as bytes, and nothing else. */
    private static boolean hasRgbBytes(BufferedImage image) {
        ColorModel model = image.getColorModel();
        return image.getRaster().getNumBands() == 3
                && image.getRaster().getTransferType() == DataBuffer.TYPE_BYTE
                && model instanceof ComponentColorModel
                && model.getColorSpace().isCS_sRGB()
                && model.getComponentSize(0) == 8
                && model.getComponentSize(1) == 8
                && model.getComponentSize(2) == 8;
    }

    /**
     * Red, green and blue of every pixel as they look before a background.
     *
     * @param image an image of any kind
     * @param background red, green and blue, a byte each
     * @return (H, W, 3)
     */
    public static byte[] of(BufferedImage image, int background) {
        byte[] rgb = of(image);
        if (!image.getColorModel().hasAlpha()) {
            return rgb;
        }
        int width = image.getWidth();
        int[] row = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int a = row[x] >>> 24;
                for (int c = 0; c < 3; c++) {
                    int i = (y * width + x) * 3 + c;
                    int behind = (background >> (8 * (2 - c))) & 0xff;
                    rgb[i] = (byte) ((a * (rgb[i] & 0xff) + (255 - a) * behind + 127) / 255);
                }
            }
        }
        return rgb;
    }

    /**
     * Whether the image has one channel of brightness, not of indices.
     *
     * @param image an image of any kind
     * @return true for grey, with or without transparency
     */
    public static boolean isGrey(BufferedImage image) {
        return image.getColorModel().getNumColorComponents() == 1
                && !(image.getColorModel() instanceof IndexColorModel);
    }

    /**
     * The stored values of the only channel, where they are bytes.
     *
     * @param image an image of any kind
     * @return (H, W), each value below 256; null if there are more channels, or larger values
     */
    public static byte @Nullable [] onlyChannel(BufferedImage image) {
        Raster raster = image.getRaster();
        if (raster.getNumBands() != 1 || raster.getTransferType() != DataBuffer.TYPE_BYTE) {
            return null;
        }
        return elements(raster, 1);
    }

    /** The bytes of all pixels, band by band. */
    private static byte[] elements(Raster raster, int bands) {
        int row = Math.multiplyExact(bands, raster.getWidth());
        byte[] elements = new byte[Math.multiplyExact(row, raster.getHeight())];
        boolean inOrder =
                raster.getSampleModel() instanceof ComponentSampleModel model
                        && raster.getDataBuffer() instanceof DataBufferByte
                        && raster.getParent() == null
                        && model.getPixelStride() == bands
                        && model.getScanlineStride() == row
                        && Arrays.equals(
                                model.getBandOffsets(), IntStream.range(0, bands).toArray());
        if (inOrder) {
            DataBufferByte buffer = (DataBufferByte) raster.getDataBuffer();
            System.arraycopy(buffer.getData(), buffer.getOffset(), elements, 0, elements.length);
        } else {
            raster.getDataElements(0, 0, raster.getWidth(), raster.getHeight(), elements);
        }
        return elements;
    }

    /**
     * The stored values of a row of the first channel.
     *
     * @param image an image of any kind
     * @param y the row
     * @param into W numbers
     * @return what was filled
     */
    public static int[] firstChannel(BufferedImage image, int y, int[] into) {
        return image.getRaster().getSamples(0, y, image.getWidth(), 1, 0, into);
    }
}
