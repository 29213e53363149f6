package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureFileTest {

    @TempDir private Path folder;

    private static int rgb(Picture picture, int x, int y) {
        return ((BufferedImage) picture.image().getWrappedImage()).getRGB(x, y) & 0xFFFFFF;
    }

    private static void assertClose(int expected, int rgb, int tolerance) {
        for (int shift = 0; shift <= 16; shift += 8) {
            assertEquals(
                    expected >> shift & 255,
                    rgb >> shift & 255,
                    tolerance,
                    () -> Integer.toHexString(rgb));
        }
    }

    @Test
    void readsColours() throws IOException {
        BufferedImage image = PictureFiles.halves(20, 10, BufferedImage.TYPE_3BYTE_BGR);
        Picture png = new PictureFile(PictureFiles.png(folder.resolve("p.png"), image)).read(100);
        assertEquals(0xFF0000, rgb(png, 3, 5));
        assertEquals(0x0000FF, rgb(png, 16, 5));
        Picture jpeg = new PictureFile(PictureFiles.jpeg(folder.resolve("j.jpg"), image)).read(100);
        assertClose(0xFF0000, rgb(jpeg, 3, 5), 8);
        assertClose(0x0000FF, rgb(jpeg, 16, 5), 8);
    }

    @Test
    void showsTransparencyAsWhitePaper() throws IOException {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(1, 0, 0x80FF0000);
        image.setRGB(2, 0, 0xFF00FF00);
        Picture picture =
                new PictureFile(PictureFiles.png(folder.resolve("a.png"), image)).read(100);
        assertEquals(0xFFFFFF, rgb(picture, 0, 0));
        assertClose(0xFF7F7F, rgb(picture, 1, 0), 1);
        assertEquals(0x00FF00, rgb(picture, 2, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY})
    void keepsGreyLevels(int type) throws IOException {
        BufferedImage image = new BufferedImage(2, 2, type);
        int level = type == BufferedImage.TYPE_BYTE_GRAY ? 100 : 100 * 257;
        image.getRaster().setPixel(1, 1, new int[] {level});
        Picture picture =
                new PictureFile(PictureFiles.png(folder.resolve("g.png"), image)).read(100);
        assertEquals(0x646464, rgb(picture, 1, 1));
        assertEquals(0, rgb(picture, 0, 0));
    }

    @Test
    void keepsGreyLevelsBesideTransparency() throws IOException {
        ComponentColorModel model =
                new ComponentColorModel(
                        ColorSpace.getInstance(ColorSpace.CS_GRAY),
                        true,
                        false,
                        Color.TRANSLUCENT,
                        DataBuffer.TYPE_BYTE);
        WritableRaster raster = model.createCompatibleWritableRaster(2, 1);
        raster.setPixel(0, 0, new int[] {100, 255});
        raster.setPixel(1, 0, new int[] {0, 51});
        BufferedImage image = new BufferedImage(model, raster, false, null);
        Picture picture =
                new PictureFile(PictureFiles.png(folder.resolve("ga.png"), image)).read(100);
        assertEquals(0x646464, rgb(picture, 0, 0));
        assertEquals(0xCCCCCC, rgb(picture, 1, 0));
    }

    @Test
    void readsGreyJpegs() throws IOException {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
        for (int i = 0; i < 256; i++) {
            image.getRaster().setPixel(i % 16, i / 16, new int[] {100});
        }
        Picture picture =
                new PictureFile(PictureFiles.jpeg(folder.resolve("g.jpg"), image)).read(100);
        assertClose(0x646464, rgb(picture, 8, 8), 2);
    }

    @Test
    void readsPalettes() throws IOException {
        BufferedImage image = PictureFiles.halves(20, 10, BufferedImage.TYPE_BYTE_INDEXED);
        Picture picture =
                new PictureFile(PictureFiles.png(folder.resolve("i.png"), image)).read(100);
        assertEquals(0xFF0000, rgb(picture, 3, 5));
    }

    @Test
    void readsCmyk() throws IOException {
        Path file = PictureFiles.cmyk(folder.resolve("c.jpg"), 32, 16, 0, 255, 255, 0);
        Picture picture = new PictureFile(file).read(100);
        int rgb = rgb(picture, 20, 8);
        assertTrue((rgb >> 16 & 255) > 200, Integer.toHexString(rgb));
        assertTrue((rgb >> 8 & 255) < 80 && (rgb & 255) < 80, Integer.toHexString(rgb));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 3, 2, 012345",
        "2, 3, 2, 210543",
        "3, 3, 2, 543210",
        "4, 3, 2, 345012",
        "5, 2, 3, 031425",
        "6, 2, 3, 304152",
        "7, 2, 3, 524130",
        "8, 2, 3, 251403"
    })
    void turnsUpright(int orientation, int width, int height, String expected) {
        BufferedImage stored = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 6; i++) {
            stored.setRGB(i % 3, i / 3, i);
        }
        BufferedImage upright = ExifOrientation.upright(stored, orientation);
        assertEquals(width, upright.getWidth());
        assertEquals(height, upright.getHeight());
        StringBuilder seen = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            seen.append(upright.getRGB(i % width, i / width) & 0xFFFFFF);
        }
        assertEquals(expected, seen.toString());
    }

    @Test
    void turnsPhotographsUpright() throws IOException {
        Path file =
                PictureFiles.jpeg(
                        folder.resolve("o.jpg"),
                        PictureFiles.halves(32, 16, BufferedImage.TYPE_INT_RGB));
        PictureFiles.orientation(file, 6); // held with the left side up
        Picture picture = new PictureFile(file).read(100);
        assertEquals(16, picture.width());
        assertEquals(32, picture.height());
        assertClose(0xFF0000, rgb(picture, 8, 4), 8);
        assertClose(0x0000FF, rgb(picture, 8, 28), 8);
    }

    @Test
    void ignoresBrokenExif() throws IOException {
        Path file =
                PictureFiles.jpeg(
                        folder.resolve("o.jpg"),
                        PictureFiles.halves(32, 16, BufferedImage.TYPE_INT_RGB));
        PictureFiles.orientation(file, 77);
        assertEquals(32, new PictureFile(file).read(100).width());
    }

    /** Its pixels would take 1.2 GB. */
    @Test
    void skipsPixelsThatAreNotNeeded() throws IOException {
        Path file =
                PictureFiles.png(
                        folder.resolve("huge.png"),
                        PictureFiles.halves(20_000, 15_000, BufferedImage.TYPE_BYTE_BINARY));
        Picture picture = new PictureFile(file).read(800);
        assertEquals(20_000, picture.width());
        assertEquals(15_000, picture.height());
        assertEquals(800, picture.image().getWidth());
        assertEquals(600, picture.image().getHeight());
    }

    @Test
    void scalesInProportion() throws IOException {
        Path file =
                PictureFiles.png(
                        folder.resolve("flat.png"),
                        PictureFiles.halves(300, 2, BufferedImage.TYPE_INT_RGB));
        Picture picture = new PictureFile(file).read(1000);
        assertEquals(100, picture.scaledTo(100).getWidth());
        assertEquals(1, picture.scaledTo(100).getHeight());
        assertEquals(4, picture.scaledTo(600).getHeight());
    }

    @Test
    void refusesWhatIsNoPicture() throws IOException {
        Path text = Files.writeString(folder.resolve("text.png"), "This is no picture.");
        assertComplains("is not a picture", text);
        assertComplains("is not a picture", Files.createFile(folder.resolve("empty.png")));
        assertComplains("does not exist", folder.resolve("missing.png"));
        assertComplains("is a folder", folder);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.02, 0.3, 0.6})
    void refusesHalfAPng(double share) throws IOException {
        Path whole =
                PictureFiles.png(
                        folder.resolve("w.png"),
                        PictureFiles.halves(300, 200, BufferedImage.TYPE_INT_RGB));
        assertComplains("is broken", PictureFiles.cut(whole, folder.resolve("h.png"), share));
    }

    /** Java's decoder gives grey for what is missing, and warns. */
    @ParameterizedTest
    @ValueSource(doubles = {0.5, 0.9})
    void refusesHalfAJpeg(double share) throws IOException {
        Path whole =
                PictureFiles.jpeg(
                        folder.resolve("w.jpg"),
                        PictureFiles.halves(300, 200, BufferedImage.TYPE_INT_RGB));
        assertComplains("is broken", PictureFiles.cut(whole, folder.resolve("h.jpg"), share));
    }

    @Test
    void saysWhenAFileEndsTooEarly() throws IOException {
        Path whole = folder.resolve("w.bmp");
        ImageIO.write(
                PictureFiles.halves(300, 200, BufferedImage.TYPE_INT_RGB), "bmp", whole.toFile());
        Path start = PictureFiles.cut(whole, folder.resolve("start.bmp"), 0.0002);
        assertComplains("is broken: it ends too early", start);
    }

    private static void assertComplains(String message, Path file) {
        IOException e = assertThrows(IOException.class, () -> new PictureFile(file).read(100));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    }
}
