package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.LambdaBlock;
import ai.djl.translate.TranslateException;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.image.SlotMasks;
import org.slotwise.testing.SmallScenes;

class ImageFolderTest {

    @TempDir Path root;
    private Path images;
    private Path masks;

    @BeforeEach
    void makeFolders() throws IOException {
        images = Files.createDirectory(root.resolve("images"));
        masks = Files.createDirectory(root.resolve("masks"));
    }

    private static byte[] encoded(BufferedImage image, String kind) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, kind, out), "a writer for " + kind);
        return out.toByteArray();
    }

    private static Path write(Path file, BufferedImage image) throws IOException {
        String name = file.toString();
        Files.createDirectories(file.getParent());
        return Files.write(file, encoded(image, name.substring(name.lastIndexOf('.') + 1)));
    }

    private static BufferedImage rgb(int height, int width, int... pixels) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < height * width; p++) {
            image.setRGB(p % width, p / width, pixels[p % pixels.length]);
        }
        return image;
    }

    private static BufferedImage samples(int type, int height, int width, int... values) {
        return samples(new BufferedImage(width, height, type), values);
    }

    private static BufferedImage samples(BufferedImage image, int... values) {
        int width = image.getWidth();
        for (int p = 0; p < image.getHeight() * width; p++) {
            image.getRaster().setSample(p % width, p / width, 0, values[p % values.length]);
        }
        return image;
    }

    private ImageFolder folder(int height, int width) throws IOException {
        return ImageFolder.builder().setFolder(images).setSize(height, width).build();
    }

    private ImageFolder masked(int height, int width) throws IOException {
        return ImageFolder.builder()
                .setFolder(images)
                .setSize(height, width)
                .optMasks(masks)
                .build();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void listsImagesInOrderOfTheirPaths() throws IOException {
        BufferedImage black = rgb(1, 1, 0);
        write(images.resolve("b.png"), black);
        write(images.resolve("a/z.JPG"), black);
        write(images.resolve("a.gif"), black);
        write(images.resolve("a/b/c.bmp"), black);
        Files.writeString(images.resolve("notes.txt"), "no image");
        Files.createDirectory(images.resolve("folder.png"));
        ImageFolder folder = folder(1, 1);
        assertEquals(4, folder.size());
        assertEquals(images.resolve("a.gif"), folder.file(0));
        assertEquals(images.resolve("a/b/c.bmp"), folder.file(1));
        assertEquals(images.resolve("a/z.JPG"), folder.file(2));
        assertEquals(images.resolve("b.png"), folder.file(3));
        assertThrows(IndexOutOfBoundsException.class, () -> folder.get(4));
        assertFalse(folder.get(0).hasMask());
    }

    /** Also where nobody says so: masks that are taken for pictures are learnt from. */
    @Test
    void masksBesideImagesAreNoPictures() throws IOException {
        BufferedImage black = rgb(1, 1, 0);
        write(images.resolve("a.png"), black);
        write(images.resolve("masks/b.png"), black); // beside no folder of images
        write(masks.resolve("a.png"), black);
        write(root.resolve("more/masks/c.png"), black);
        write(root.resolve("more/images/c.png"), black);
        List<Path> pictures =
                List.of(
                        images.resolve("a.png"),
                        images.resolve("masks/b.png"),
                        root.resolve("more/images/c.png"));
        ImageFolder folder = ImageFolder.builder().setFolder(root).setSize(1, 1).build();
        PictureFolder asTheyAre = PictureFolder.of(root);
        PictureFolder asStored = PictureFolder.asStored(root);
        assertEquals(3, folder.size());
        assertEquals(3, asTheyAre.size());
        assertEquals(3, asStored.size());
        for (int i = 0; i < 3; i++) {
            assertEquals(pictures.get(i), folder.file(i));
            assertEquals(pictures.get(i), asTheyAre.file(i));
            assertEquals(pictures.get(i), asStored.file(i));
        }
        assertEquals(1, PictureFolder.of(masks).size(), "who names them wants them");
    }

    @Test
    void cutsTheMiddleAndResizes() throws IOException {
        // Columns of 1, 1, 2, 2, 3, 3, of which the middle four remain.
        write(images.resolve("a.png"), rgb(4, 6, 0x10, 0x10, 0x2000, 0x2000, 0x30, 0x30));
        Scene scene = folder(4, 4).get(0);
        assertEquals(new Crop(0, 1, 4, 4), Crop.centre(4, 6, 4, 4));
        assertArrayEquals(
                bytes(0, 0, 0x10, 0, 0x20, 0, 0, 0x20, 0, 0, 0, 0x30),
                Arrays.copyOf(scene.image(), 12));
        assertEquals(2, folder(2, 2).get(0).height());
        assertEquals(
                numbered().crop(new Crop(1, 0, 2, 4)).resize(4, 8), folderOf(numbered(), 4, 8));
    }

    private static Scene numbered() {
        return SmallScenes.numbered(4, 4);
    }

    private Scene folderOf(Scene scene, int height, int width) throws IOException {
        BufferedImage image =
                new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < scene.mask().length; p++) {
            byte[] b = scene.image();
            image.setRGB(
                    p % scene.width(),
                    p / scene.width(),
                    (b[3 * p] << 16) + (b[3 * p + 1] << 8) + b[3 * p + 2]);
        }
        Files.delete(images.resolve("a.png"));
        write(images.resolve("a.png"), image);
        int[] labels = new int[scene.mask().length];
        Arrays.setAll(labels, p -> scene.mask()[p]);
        write(
                masks.resolve("a.png"),
                samples(BufferedImage.TYPE_BYTE_GRAY, scene.height(), scene.width(), labels));
        Scene read = masked(height, width).get(0);
        // The count is of what is left; the caller compares with the whole.
        return new Scene(height, width, read.image(), read.mask(), scene.objectCount());
    }

    /** Java's own conversion to colours takes grey values as linear and brightens them. */
    @Test
    void greyValuesStayAsTheyAre() throws IOException {
        write(
                images.resolve("a.png"),
                samples(BufferedImage.TYPE_BYTE_GRAY, 1, 4, 0, 28, 128, 255));
        assertArrayEquals(
                bytes(0, 0, 0, 28, 28, 28, 128, 128, 128, 255, 255, 255),
                folder(1, 4).get(0).image());
        write(
                images.resolve("a.png"),
                samples(BufferedImage.TYPE_USHORT_GRAY, 1, 4, 0, 256, 32768, 65535));
        assertArrayEquals(
                bytes(0, 0, 0, 1, 1, 1, 128, 128, 128, 255, 255, 255), folder(1, 4).get(0).image());
        write(images.resolve("a.png"), samples(BufferedImage.TYPE_BYTE_BINARY, 1, 2, 0, 1));
        assertArrayEquals(bytes(0, 0, 0, 255, 255, 255), folder(1, 2).get(0).image());
    }

    private static BufferedImage palette(int height, int width, int... indices) {
        byte[] shades = {0, 120, 7, 120};
        IndexColorModel model = new IndexColorModel(8, 4, shades, shades, shades);
        return samples(
                new BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, model), indices);
    }

    @Test
    void masksOfOneChannelHoldTheLabels() throws IOException {
        write(images.resolve("b/a.jpg"), rgb(1, 4, 0x123456));
        Path mask = masks.resolve("b/a.png");
        write(mask, samples(BufferedImage.TYPE_BYTE_GRAY, 1, 4, 0, 1, 255, 7));
        assertArrayEquals(bytes(0, 1, 255, 7), masked(1, 4).get(0).mask());
        assertEquals(3, masked(1, 4).get(0).objectCount());
        assertEquals(2, masked(1, 2).get(0).objectCount(), "of what is left");
        // Two entries of a palette may have one colour.
        write(mask, palette(1, 4, 0, 1, 3, 2));
        assertArrayEquals(bytes(0, 1, 3, 2), masked(1, 4).get(0).mask());
        write(mask, samples(BufferedImage.TYPE_BYTE_BINARY, 1, 4, 0, 1, 1, 0));
        assertArrayEquals(bytes(0, 1, 1, 0), masked(1, 4).get(0).mask());
        write(mask, samples(BufferedImage.TYPE_USHORT_GRAY, 1, 4, 0, 3, 200, 0));
        assertArrayEquals(bytes(0, 3, 200, 0), masked(1, 4).get(0).mask());
        write(mask, samples(BufferedImage.TYPE_USHORT_GRAY, 1, 4, 0, 3, 26001, 0));
        assertDamage(mask, "a label must be at most 255, got 26001", masked(1, 4));
    }

    @Test
    void masksOfColoursAreNumbered() throws IOException {
        write(images.resolve("a.png"), rgb(1, 4, 0x123456));
        Path mask = masks.resolve("a.png");
        write(mask, rgb(1, 4, 0xff0000, 0, 0x0000ff, 0x00ff00));
        assertArrayEquals(bytes(3, 0, 1, 2), masked(1, 4).get(0).mask());
        // Black is 0 even where there is none.
        write(mask, rgb(1, 4, 0xff0000, 0xff, 0x0000ff, 0x00ff00));
        assertArrayEquals(bytes(3, 1, 1, 2), masked(1, 4).get(0).mask());
        int[] many = new int[300];
        Arrays.setAll(many, i -> i % 255 * 3 + 3);
        write(images.resolve("a.png"), rgb(1, 300, 0));
        write(mask, rgb(1, 300, many));
        assertEquals(255, masked(1, 300).get(0).objectCount());
        Arrays.setAll(many, i -> i % 256 * 3 + 3);
        write(mask, rgb(1, 300, many));
        assertDamage(mask, "a mask must have at most 255 colours and black", masked(1, 300));
    }

    private static void assertDamage(Path file, String what, ImageFolder folder) {
        SceneFileException e = assertThrows(SceneFileException.class, () -> folder.get(0));
        assertEquals(file + ": " + what, e.getMessage());
        assertEquals(-1, e.record());
        assertEquals(file.toString(), e.file());
    }

    @Test
    void masksMustFit() throws IOException {
        Path image = write(images.resolve("a.png"), rgb(2, 3, 0));
        assertDamage(image, "its mask " + masks.resolve("a.png") + " is missing", masked(1, 1));
        write(masks.resolve("a.png"), rgb(3, 2, 0));
        assertDamage(
                masks.resolve("a.png"),
                "the mask has 3 x 2 pixels and its image 2 x 3",
                masked(1, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg", "gif", "bmp"})
    void everyCutIsFound(String kind) throws IOException {
        Random random = new Random(1);
        int[] pixels = random.ints(20 * 20, 0, 1 << 24).toArray();
        byte[] whole = encoded(rgb(20, 20, pixels), kind);
        Path file = images.resolve("a." + kind);
        Files.write(file, whole);
        ImageFolder folder = folder(20, 20);
        folder.get(0);
        // Past three quarters: the ends of these formats hold nothing that the picture needs.
        for (int length = 0; length < whole.length * 3 / 4; length += 5) {
            Files.write(file, Arrays.copyOf(whole, length));
            SceneFileException e = assertThrows(SceneFileException.class, () -> folder.get(0));
            assertEquals(file.toString(), e.file());
        }
    }

    @Test
    void damageIsNamed() throws IOException {
        Random random = new Random(1);
        int[] pixels = random.ints(20 * 20, 0, 1 << 24).toArray();
        byte[] png = encoded(rgb(20, 20, pixels), "png");
        png[png.length / 2]++;
        Path file = Files.write(images.resolve("a.png"), png);
        ImageFolder folder = folder(20, 20);
        SceneFileException e = assertThrows(SceneFileException.class, () -> folder.get(0));
        assertEquals(
                file
                        + ": the image is damaged: the checksum of its chunk at byte 33 does not"
                        + " fit",
                e.getMessage());
        Files.write(file, new byte[0]);
        assertDamage(file, "the file is empty", folder);
        Files.writeString(file, "this is not a picture");
        assertDamage(
                file,
                "not an image of a known kind: PNG, JPEG, BMP, GIF and WebP are read",
                folder);
        byte[] jpg = encoded(rgb(20, 20, pixels), "jpg");
        Files.write(file, Arrays.copyOf(jpg, jpg.length - 100)); // the ending of the name is free
        assertDamage(file, "the image is damaged: Truncated File - Missing EOI marker", folder);
        Files.delete(file);
        assertThrows(NoSuchFileException.class, () -> folder.get(0));
    }

    @Test
    void optionsAreChecked() throws IOException {
        SceneFileException e = assertThrows(SceneFileException.class, () -> folder(1, 1));
        assertEquals(images + ": no image in this folder", e.getMessage());
        write(images.resolve("a.png"), rgb(1, 1, 0));
        assertRefused(
                "ImageFolder: height and width must be at least 1, got 0 and 3",
                () -> folder(0, 3));
        assertRefused(
                "ImageFolder: the folder is missing",
                () -> ImageFolder.builder().setSize(1, 1).build());
        Path none = root.resolve("none");
        assertEquals(
                none + ": there is no folder of this name",
                assertThrows(
                                NoSuchFileException.class,
                                () -> ImageFolder.builder().setFolder(none).setSize(1, 1).build())
                        .getMessage());
    }

    /** Training must see the colours that a translator shows the model afterwards. */
    @Test
    void seesThroughTransparentPixelsWhatATranslatorPutsThere() throws IOException {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00000000);
        image.setRGB(1, 0, 0x80000000);
        image.setRGB(2, 0, 0xFF102030);
        write(images.resolve("a.png"), image);
        byte[] seen = folder(1, 3).get(0).image();
        assertArrayEquals(new byte[] {-1, -1, -1, 127, 127, 127, 16, 32, 48}, seen);
        byte[] whole = ImageFolderTest.encoded(image, "png");
        ObjectDiscoveryTranslator translator =
                ObjectDiscoveryTranslator.builder().setImageSize(1, 3).build();
        try (Model model = Model.newInstance("none")) {
            model.setBlock(
                    new LambdaBlock(
                            in -> {
                                NDArray masks = in.singletonOrThrow().duplicate();
                                masks.setName("masks");
                                return new NDList(masks);
                            }));
            try (var predictor = model.newPredictor(translator)) {
                SlotMasks colours = predictor.predict(new PictureDecoder().decode(whole)).masks();
                for (int i = 0; i < 9; i++) {
                    assertEquals((seen[i] & 0xff) / 255f, colours.at(i % 3, 0, i / 3), 1e-6f);
                }
            } catch (TranslateException e) {
                throw new AssertionError(e);
            }
        }
    }
}
