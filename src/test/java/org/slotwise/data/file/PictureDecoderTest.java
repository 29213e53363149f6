package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.modality.cv.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.SceneFileException;

class PictureDecoderTest {

    private static byte[] picture(String format) throws IOException {
        BufferedImage image = new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 600; i++) {
            image.setRGB(i % 30, i / 30, 0x10203 * i);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, out));
        return out.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "bmp", "gif"})
    void decodesWholePicturesAndNoOthers(String format) throws IOException {
        byte[] bytes = picture(format);
        Image image = new PictureDecoder().decode(bytes);
        assertEquals(20, image.getHeight());
        assertEquals(30, image.getWidth());
        assertEquals(20, new PictureDecoder(600).decode(bytes).getHeight());
        for (int length = 0; length < bytes.length - 2; length += 1 + bytes.length / 40) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(SceneFileException.class, () -> new PictureDecoder().decode(cut));
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        byte[] bytes = picture("png");
        assertEquals(
                "picture: the image says that it has 20 x 30 pixels, more than 599 in all",
                assertThrows(SceneFileException.class, () -> new PictureDecoder(599).decode(bytes))
                        .getMessage());
        byte[] long_ = new byte[(1 << 20) + 9];
        assertEquals(
                "picture: it has more bytes than one of 1 pixels",
                assertThrows(SceneFileException.class, () -> new PictureDecoder(1).decode(long_))
                        .getMessage());
        assertEquals(
                "PictureDecoder: mostPixels must be at least 1, got 0",
                assertThrows(IllegalArgumentException.class, () -> new PictureDecoder(0))
                        .getMessage());
    }

    /** Of four colours, red, green / blue, white, each 16 pixels square, where they then are. */
    @ParameterizedTest
    @CsvSource({
        "1, RGBW, 32",
        "2, GRWB, 32",
        "3, WBGR, 32",
        "4, BWRG, 32",
        "5, RBGW, 48",
        "6, BRWG, 48",
        "7, WGBR, 48",
        "8, GWRB, 48",
        "9, RGBW, 32",
        "0, RGBW, 32"
    })
    void turnsPhotographs(int orientation, String expected, int height) throws IOException {
        BufferedImage stored = new BufferedImage(48, 32, BufferedImage.TYPE_INT_RGB);
        int[] colours = {0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF};
        for (int i = 0; i < 48 * 32; i++) {
            stored.setRGB(i % 48, i / 48, colours[i / 48 / 16 * 2 + i % 48 / 24]);
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(stored, "jpg", jpeg));
        byte[] file = Pictures.held(jpeg.toByteArray(), orientation);
        Image image = new PictureDecoder().decode(file);
        assertEquals(height, image.getHeight());
        assertEquals(80 - height, image.getWidth());
        assertEquals(expected, corners((BufferedImage) image.getWrappedImage()));
        // The same by the readers of data sets.
        ImageFile read = ImageFile.picture(PictureDecoder.SENT, file, 1 << 20);
        BufferedImage seen = new BufferedImage(read.width(), read.height(), 1);
        for (int i = 0; i < read.values().length; i++) {
            seen.getRaster()
                    .setSample(
                            i / 3 % read.width(),
                            i / 3 / read.width(),
                            i % 3,
                            read.values()[i] & 0xff);
        }
        assertEquals(expected, corners(seen));
    }

    private static String corners(BufferedImage image) {
        StringBuilder seen = new StringBuilder();
        for (int i = 0; i < 4; i++) {
            int rgb =
                    image.getRGB(
                            i % 2 == 0 ? 4 : image.getWidth() - 5,
                            i / 2 == 0 ? 4 : image.getHeight() - 5);
            boolean red = (rgb >> 16 & 0xff) > 128;
            boolean green = (rgb >> 8 & 0xff) > 128;
            seen.append(red ? green ? 'W' : 'R' : green ? 'G' : 'B');
        }
        return seen.toString();
    }

    @Test
    void turnsGreyPhotographsAndKeepsTheirLevels() throws IOException {
        BufferedImage stored = new BufferedImage(32, 16, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 512; i++) {
            stored.getRaster().setSample(i % 32, i / 32, 0, i % 32 < 16 ? 60 : 130);
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(stored, "jpg", jpeg));
        ImageFile read =
                ImageFile.picture(
                        PictureDecoder.SENT, Pictures.held(jpeg.toByteArray(), 8), 1 << 20);
        assertEquals(32, read.height());
        assertEquals(130, read.values()[3 * 16 * 4] & 0xff, 2);
        assertEquals(60, read.values()[3 * 16 * 28] & 0xff, 2);
    }
}
