package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.modality.cv.ImageFactory;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.JpegReader;
import org.slotwise.internal.RgbBytes;

/** Kinds of picture files, and what hostile ones do. */
class PictureFilesTest {

    @TempDir Path root;
    private Path images;

    @BeforeEach
    void makeFolder() throws IOException {
        images = Files.createDirectory(root.resolve("images"));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = PictureFilesTest.class.getResourceAsStream("/pictures/" + name)) {
            return in.readAllBytes();
        }
    }

    private Scene read(String name, byte[] file, int height, int width) throws IOException {
        Files.write(images.resolve(name), file);
        return ImageFolder.builder().setFolder(images).setSize(height, width).build().get(0);
    }

    private static int colour(byte[] rgb, int pixel) {
        return (rgb[3 * pixel] & 0xff) << 16
                | (rgb[3 * pixel + 1] & 0xff) << 8
                | (rgb[3 * pixel + 2] & 0xff);
    }

    private static void assertColour(int expected, int actual, int tolerance) {
        for (int shift = 0; shift < 24; shift += 8) {
            assertEquals(
                    expected >> shift & 0xff,
                    actual >> shift & 0xff,
                    tolerance,
                    String.format("%06x and %06x", expected, actual));
        }
    }

    /** As Pillow has them. Java's own reader has the sixth as bcbcbc. */
    @Test
    void jpegsInCmykHaveTheirColours() throws IOException {
        int[] expected = {
            0xff0000, 0x00ff00, 0x0000ff, 0xffffff, 0x000000, 0x808080, 0xffff00, 0xc86432
        };
        byte[] file = resource("cmyk_cols.jpg");
        byte[] rgb = read("a.jpg", file, 8, 64).image();
        JpegReader.register(); // what the translator of images does
        BufferedImage djl =
                (BufferedImage)
                        ImageFactory.getInstance()
                                .fromFile(images.resolve("a.jpg"))
                                .getWrappedImage();
        for (int block = 0; block < expected.length; block++) {
            int pixel = 4 * 64 + 4 + 8 * block;
            assertColour(expected[block], colour(rgb, pixel), 2);
            assertColour(expected[block], colour(RgbBytes.of(djl), pixel), 2);
        }
    }

    /** As libjpeg has them. Java's own reader takes this one for red, green and blue. */
    @Test
    void jpegsWithoutJfifMarkerAreYcbcr() throws IOException {
        byte[] file = resource("nojfif_ids012.jpg");
        BufferedImage size = ImageIO.read(Files.write(root.resolve("size"), file).toFile());
        byte[] rgb = read("a.jpg", file, size.getHeight(), size.getWidth()).image();
        assertColour(0x000000, colour(rgb, 0), 3);
        assertColour(0x1e2e24, colour(rgb, 3 * size.getWidth() + 3), 3);
    }

    @Test
    void gifsHaveTheSizeOfTheirScreen() throws IOException {
        byte[] file = resource("gif_offset.gif");
        ImageFile whole = ImageFile.picture(Files.write(root.resolve("a.gif"), file), 1 << 20);
        assertEquals(24, whole.height());
        assertEquals(32, whole.width());
        // As a mask the same, so that the one fits the other.
        ImageFile labels = ImageFile.mask(root.resolve("a.gif"), 1 << 20, true);
        assertEquals(24 * 32, labels.values().length);
        BufferedImage frame = ImageIO.read(root.resolve("a.gif").toFile());
        assertEquals(16, frame.getHeight(), "what Java gives");
        // The frame's place, as the file says: after the first 13 bytes and the palette.
        int at = 13 + 3 * (2 << (file[10] & 7));
        while (file[at] == 0x21) {
            for (at += 2; file[at] != 0; at += (file[at] & 0xff) + 1) {}
            at++;
        }
        int left = file[at + 1];
        int top = file[at + 3];
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 24; x++) {
                assertEquals(
                        frame.getRGB(x, y) & 0xffffff,
                        colour(whole.values(), (y + top) * 32 + x + left));
            }
        }
    }

    @Test
    void webpIsReadWithItsReader() throws IOException {
        Scene scene = read("a.webp", resource("a.webp"), 16, 24);
        assertEquals(24, scene.width());
        assertTrue(PictureKind.isRead("x/A.WEBP"));
    }

    /** Its reader takes what is missing for zeros. */
    @Test
    void everyCutOfAWebpIsFound() throws IOException {
        byte[] webp = resource("a.webp");
        Path file = root.resolve("a");
        for (int length = 0; length < webp.length; length++) {
            Files.write(file, Arrays.copyOf(webp, length));
            assertThrows(SceneFileException.class, () -> ImageFile.picture(file, 1 << 20));
        }
    }

    @Test
    void imagesOfOtherKindsAreNotPassedOverSilently() throws IOException {
        Files.write(images.resolve("a.TIFF"), new byte[8]);
        Files.write(images.resolve("notes.txt"), new byte[8]);
        String all =
                "; PNG, JPEG, BMP, GIF and WebP are read; optLeaveOutOtherKinds passes them over";
        assertFolderFails(images + ": an image of a kind that is not read, a.TIFF" + all, false);
        Files.write(images.resolve("b.heic"), new byte[8]);
        Files.write(images.resolve("c.gif"), resource("gif_offset.gif"));
        assertFolderFails(
                images + ": 2 images of kinds that are not read, such as a.TIFF" + all, false);
        assertEquals(1, folder().optLeaveOutOtherKinds(true).build().size());
        Files.delete(images.resolve("c.gif"));
        assertFolderFails(
                images + ": 2 images of kinds that are not read, such as a.TIFF" + all, true);
    }

    private ImageFolder.Builder folder() {
        return ImageFolder.builder().setFolder(images).setSize(4, 4);
    }

    private void assertFolderFails(String message, boolean leaveOut) {
        SceneFileException e =
                assertThrows(
                        SceneFileException.class,
                        () -> folder().optLeaveOutOtherKinds(leaveOut).build());
        assertEquals(message, e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"blobs", "checker"})
    void aFlippedByteOfAPngIsFound(String name) throws IOException {
        Path file = Files.write(root.resolve("mask"), resource("png-mask-valid-" + name + ".png"));
        ImageFile.mask(file, 1 << 20, true);
        Files.write(file, resource("png-mask-flipped-" + name + ".png"));
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> ImageFile.mask(file, 1 << 20, true));
        assertTrue(e.getMessage().startsWith(file + ": the image is damaged: the checksum of its"));
        assertThrows(SceneFileException.class, () -> ImageFile.picture(file, 1 << 20));
    }

    @Test
    void everyFlippedByteAndEveryCutOfAPngIsFound() throws IOException {
        byte[] png = resource("png-mask-valid-checker.png");
        Path file = root.resolve("a");
        for (int at = 0; at < png.length; at++) {
            byte[] flipped = png.clone();
            flipped[at] ^= 4;
            Files.write(file, flipped);
            assertThrows(SceneFileException.class, () -> ImageFile.mask(file, 1 << 20, true));
            Files.write(file, Arrays.copyOf(png, at));
            assertThrows(SceneFileException.class, () -> ImageFile.mask(file, 1 << 20, true));
        }
    }

    /** A PNG of one channel, all zeros; its data are as short as such data can be. */
    static byte[] png(int height, int width, int bits, long bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height).put((byte) bits);
        chunk(out, "IHDR", header.array());
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(data)) {
            for (long left = bytes; left > 0; left -= 1 << 16) {
                deflated.write(new byte[(int) Math.min(left, 1 << 16)]);
            }
        }
        chunk(out, "IDAT", data.toByteArray());
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data)
            throws IOException {
        CRC32 crc = new CRC32();
        crc.update(type.getBytes(StandardCharsets.US_ASCII));
        crc.update(data);
        DataOutputStream numbers = new DataOutputStream(out);
        numbers.writeInt(data.length);
        numbers.writeBytes(type);
        numbers.write(data);
        numbers.writeInt((int) crc.getValue());
    }

    private static byte[] bmp(int height, int width, int compression) {
        ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 'B').put((byte) 'M').putInt(200).putInt(0).putInt(54);
        bytes.putInt(40).putInt(width).putInt(height).putShort((short) 1).putShort((short) 24);
        return bytes.putInt(compression).array();
    }

    private static byte[] jpegOfSize(int height, int width) throws IOException {
        byte[] jpeg = resource("nojfif_ids012.jpg");
        for (int at = 2; ; at += 2 + ByteBuffer.wrap(jpeg).getShort(at + 2)) {
            if (jpeg[at + 1] == (byte) 0xc0) {
                ByteBuffer.wrap(jpeg).putShort(at + 5, (short) height);
                ByteBuffer.wrap(jpeg).putShort(at + 7, (short) width);
                return jpeg;
            }
        }
    }

    private static byte[] gifOfSize(int height, int width) throws IOException {
        byte[] gif = resource("gif_offset.gif");
        ByteBuffer.wrap(gif)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(6, (short) width)
                .putShort(8, (short) height);
        return gif;
    }

    private void assertTooLarge(byte[] file, int height, int width) throws IOException {
        Path path = Files.write(root.resolve("large"), file);
        SceneFileException e =
                assertTimeoutPreemptively(
                        Duration.ofSeconds(3),
                        () ->
                                assertThrows(
                                        SceneFileException.class,
                                        () -> ImageFile.picture(path, ImageFile.MOST_PIXELS)));
        assertEquals(
                path
                        + String.format(
                                ": the image says that it has %d x %d pixels, more than 33554432"
                                        + " in all; optMaxPixels lets larger ones pass",
                                height, width),
                e.getMessage());
    }

    /** Small files that would fill the memory, or take it whatever comes. */
    @Test
    void tooManyPixelsAreRefusedBeforeTheyAreDecoded() throws IOException {
        assertTooLarge(resource("gif-20000.gif"), 20000, 20000);
        assertTooLarge(gifOfSize(65535, 65535), 65535, 65535);
        assertTooLarge(png(40000, 40000, 1, 20_000_000), 40000, 40000);
        assertTooLarge(png(1 << 30, 1 << 30, 8, 1), 1 << 30, 1 << 30);
        assertTooLarge(jpegOfSize(65000, 65000), 65000, 65000);
        byte[] webp = resource("a.webp");
        int lossless = new String(webp, StandardCharsets.ISO_8859_1).indexOf("VP8L");
        if (lossless > 0) {
            ByteBuffer.wrap(webp)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(lossless + 9, (1 << 28) - 1);
            assertTooLarge(webp, 1 << 14, 1 << 14);
        }
    }

    @Test
    void anOptionLetsMorePixelsPass() throws IOException {
        Files.write(images.resolve("a.png"), png(8, 5, 8, 48));
        assertEquals(1, folder().optMaxPixels(40).build().get(0).image()[0] + 1);
        ImageFolder less = folder().optMaxPixels(39).build();
        SceneFileException e = assertThrows(SceneFileException.class, () -> less.get(0));
        assertTrue(e.getMessage().contains("8 x 5 pixels, more than 39 in all"), e.getMessage());
        assertRefused(
                "ImageFolder: maxPixels must be at least 1, got 0",
                () -> folder().optMaxPixels(0).build());
    }

    /** High and narrow, or wide and low: what is between two sizes must not be larger than both. */
    @Test
    void oddProportionsAreResizedInBoundedMemory() throws IOException {
        byte[] high = new byte[3 << 20];
        Arrays.fill(high, (byte) 9);
        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> {
                    byte[] down = new Scene(1 << 20, 1, high).resize(4, 200).image();
                    byte[] across = new Scene(1, 1 << 20, high).resize(200, 4).image();
                    assertEquals(9, down[down.length - 1]);
                    assertArrayEquals(down, across);
                });
    }

    @ParameterizedTest
    @CsvSource({"4, BMP of compression 4 is not read", "9, BMP of compression 9 is not read"})
    void bmpsThatHoldOtherFilesAreRefused(int compression, String message) throws IOException {
        Path file = Files.write(root.resolve("a.bmp"), bmp(2, 2, compression));
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> ImageFile.picture(file, 100));
        assertEquals(file + ": " + message, e.getMessage());
    }

    @Test
    void bmpsThatPointElsewhereAreRefused() throws IOException {
        byte[] linked = bmp(2, 2, 0);
        ByteBuffer numbers = ByteBuffer.wrap(linked).order(ByteOrder.LITTLE_ENDIAN);
        numbers.putInt(14, 124).putInt(10, 138).putInt(70, 0x4c494e4b);
        Path file = Files.write(root.resolve("a.bmp"), linked);
        assertFails(file, "BMP with a colour profile in another file is not read");
        numbers.putInt(70, 0x4d424544).putInt(126, 0).putInt(130, 1 << 30);
        Files.write(file, linked);
        assertFails(file, "the image is damaged or cut short: its colour profile lies outside");
        byte[] far = bmp(2, 2, 0);
        ByteBuffer.wrap(far).order(ByteOrder.LITTLE_ENDIAN).putInt(10, 1 << 30);
        Files.write(file, far);
        assertFails(file, "the image is damaged or cut short: its pixels lies outside");
    }

    private static void assertFails(Path file, String message) {
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> ImageFile.picture(file, 100));
        assertEquals(file + ": " + message, e.getMessage());
    }

    @Test
    void onlyFilesAreOpened() throws IOException {
        assertFails(root, "not a file but a folder");
    }
}
