package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RgbBytesTest {

    private static BufferedImage noise(BufferedImage image) {
        Random random = new Random(3);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                image.setRGB(x, y, random.nextInt());
            }
        }
        return image;
    }

    /** Bands in any order, as decoders store them. */
    private static BufferedImage interleaved(int space, int... offsets) {
        ComponentColorModel model =
                new ComponentColorModel(
                        ColorSpace.getInstance(space), false, false, 1, DataBuffer.TYPE_BYTE);
        WritableRaster raster =
                Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 7, 5, 3 * 7, 3, offsets, null);
        return noise(new BufferedImage(model, raster, false, null));
    }

    private static void assertColours(BufferedImage image) {
        byte[] rgb = RgbBytes.of(image);
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int colour = image.getRGB(x, y);
                for (int shift = 16; shift >= 0; shift -= 8) {
                    assertEquals((byte) (colour >> shift), rgb[at++], x + " " + y);
                }
            }
        }
        assertEquals(at, rgb.length);
    }

    @Test
    void coloursAreThoseOfTheColourModel() {
        for (int type :
                List.of(
                        BufferedImage.TYPE_3BYTE_BGR,
                        BufferedImage.TYPE_4BYTE_ABGR,
                        BufferedImage.TYPE_4BYTE_ABGR_PRE,
                        BufferedImage.TYPE_INT_RGB,
                        BufferedImage.TYPE_USHORT_565_RGB,
                        BufferedImage.TYPE_BYTE_INDEXED)) {
            assertColours(noise(new BufferedImage(7, 5, type)));
        }
        assertColours(interleaved(ColorSpace.CS_sRGB, 0, 1, 2));
        assertColours(interleaved(ColorSpace.CS_sRGB, 2, 1, 0));
        assertColours(interleaved(ColorSpace.CS_LINEAR_RGB, 0, 1, 2));
    }

    @Test
    void partsOfAnImageAreTheseParts() {
        assertColours(interleaved(ColorSpace.CS_sRGB, 0, 1, 2).getSubimage(2, 1, 4, 3));
        assertColours(interleaved(ColorSpace.CS_sRGB, 0, 1, 2).getSubimage(0, 2, 7, 3));
    }

    @Test
    void theOnlyChannelIsAsItIsStored() {
        BufferedImage grey = new BufferedImage(5, 4, BufferedImage.TYPE_BYTE_GRAY);
        BufferedImage bits = new BufferedImage(5, 4, BufferedImage.TYPE_BYTE_BINARY);
        byte[] expected = new byte[20];
        byte[] ones = new byte[20];
        for (int i = 0; i < 20; i++) {
            expected[i] = (byte) (13 * i);
            ones[i] = (byte) (i % 3 == 0 ? 1 : 0);
            grey.getRaster().setSample(i % 5, i / 5, 0, expected[i] & 0xff);
            bits.getRaster().setSample(i % 5, i / 5, 0, ones[i]);
        }
        assertArrayEquals(expected, RgbBytes.onlyChannel(grey));
        assertArrayEquals(ones, RgbBytes.onlyChannel(bits));
        byte[] part = {expected[6], expected[7], expected[11], expected[12]};
        assertArrayEquals(part, RgbBytes.onlyChannel(grey.getSubimage(1, 1, 2, 2)));
        assertNull(RgbBytes.onlyChannel(new BufferedImage(2, 2, BufferedImage.TYPE_USHORT_GRAY)));
        assertNull(RgbBytes.onlyChannel(new BufferedImage(2, 2, BufferedImage.TYPE_3BYTE_BGR)));
    }
}
