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
}
