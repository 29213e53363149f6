package org.slotwise.examples.group;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.examples.shared.Figure;
import org.slotwise.examples.shared.PictureFiles;
import org.slotwise.examples.shared.Run;
import org.slotwise.image.Palette;
import org.slotwise.image.SlotMasks;

class GroupPixelsTest {

    @TempDir private Path folder;
    private Path output;

    @BeforeEach
    void chooseOutput() {
        output = folder.resolve("out.png");
    }

    private Run run(String... args) {
        String[] all = new String[args.length + 2];
        System.arraycopy(args, 0, all, 0, args.length);
        all[args.length] = "--output";
        all[args.length + 1] = output.toString();
        return Run.of(new GroupPixels(), all);
    }

    private Run runOn(Path image, String... args) {
        String[] all = new String[args.length + 2];
        all[0] = "--image";
        all[1] = image.toString();
        System.arraycopy(args, 0, all, 2, args.length);
        return run(all);
    }

    private BufferedImage figure() throws IOException {
        return ImageIO.read(output.toFile());
    }

    @ParameterizedTest
    @ValueSource(strings = {"kmeans", "stick-breaking"})
    void drawsTheStillLife(String method) throws IOException {
        Run run = run("--method", method).succeeds();
        String[] lines = run.out().strip().split("\\R");
        assertEquals(3, lines.length, run.out());
        assertTrue(
                lines[0].matches(
                        "Still life, 480 x 320: grouped at 240 x 160 by "
                                + method
                                + " in \\d+\\.\\d\\d s"),
                lines[0]);
        int total = 0;
        for (String count : lines[1].substring(lines[1].indexOf(':') + 2).split(", ")) {
            total += Integer.parseInt(count);
        }
        assertEquals(240 * 160, total);
        assertEquals("Figure: " + output, lines[2]);

        // Eight panels of 400 x 267 in two rows.
        BufferedImage figure = figure();
        assertEquals(4 * (400 + Figure.GAP) + Figure.GAP, figure.getWidth());
        assertEquals(2 * (267 + Figure.BAR + Figure.GAP) + Figure.GAP, figure.getHeight());
    }

    @Test
    void groupsWhatTheOptionsSay() throws IOException {
        Path image =
                PictureFiles.png(
                        folder.resolve("halves.png"),
                        PictureFiles.halves(40, 20, BufferedImage.TYPE_INT_RGB));
        Run run = runOn(image, "--slots", "2").succeeds();
        assertTrue(run.out().contains("grouped at 40 x 20"), run.out());
        assertTrue(run.out().contains("Pixels of the 2 slots: 400, 400"), run.out());
        run = runOn(image, "--slots", "2", "--size", "16").succeeds();
        assertTrue(run.out().contains("grouped at 16 x 8"), run.out());
        run = runOn(image, "--slots", "3").succeeds();
        assertTrue(run.out().contains("Pixels of the 3 slots: 400, "), run.out());
    }

    @Test
    void repeatsASeed() throws IOException {
        String[] args = {"--method", "stick-breaking", "--size", "60", "--seed", "1"};
        run(args).succeeds();
        byte[] first = Files.readAllBytes(output);
        run(args).succeeds();
        assertArrayEquals(first, Files.readAllBytes(output));
        args[5] = "2";
        run(args).succeeds();
        assertFalse(Arrays.equals(first, Files.readAllBytes(output)));
    }

    @Test
    void weighsPlaces() throws IOException {
        Path image =
                PictureFiles.png(
                        folder.resolve("even.png"),
                        new BufferedImage(30, 30, BufferedImage.TYPE_INT_RGB));
        Run even = runOn(image, "--slots", "2", "--position", "0").succeeds();
        assertTrue(even.out().contains("slots: 900, 0"), even.out());
        Run split = runOn(image, "--slots", "2", "--position", "1").succeeds();
        assertTrue(split.out().contains("slots: 450, 450"), split.out());
    }

    @Test
    void showsItsOptions() {
        Run run = Run.of(new GroupPixels(), "--help").succeeds();
        for (String option :
                new String[] {
                    "--image", "--slots", "--method", "--position", "--size", "--seed", "--output"
                }) {
            assertTrue(run.out().contains(option), run.out());
        }
        assertTrue(run.out().contains("kmeans, stick-breaking"), run.out());
        assertFalse(run.out().contains("null"), run.out());
    }

    @ParameterizedTest
    @CsvSource({
        "--slots, 0, must be 1 to 64",
        "--slots, -3, must be 1 to 64",
        "--slots, 65, must be 1 to 64",
        "--slots, many, is not an int",
        "--slots, 99999999999, is not an int",
        "--method, magic, expected kmeans or stick-breaking",
        "--position, -0.1, must be 0 to 10",
        "--position, 10.5, must be 0 to 10",
        "--position, NaN, must be 0 to 10",
        "--size, 15, must be 16 to 480",
        "--size, 481, must be 16 to 480",
        "--seed, x, is not an int",
        "--colour, red, Unknown option"
    })
    void refusesWrongOptions(String option, String value, String says) {
        run(option, value).fails(2, option, says);
        assertFalse(Files.exists(output));
    }

    @Test
    void refusesAnotherFormat() {
        output = folder.resolve("out.jpg");
        run().fails(2, "--output must end in .png", "out.jpg");
    }

    @Test
    void refusesWhatIsNoPicture() throws IOException {
        runOn(folder.resolve("missing.png")).fails(1, "missing.png does not exist");
        runOn(folder).fails(1, "is a folder");
        runOn(Files.writeString(folder.resolve("text.png"), "text")).fails(1, "is not a picture");
        runOn(Files.createFile(folder.resolve("empty.jpg"))).fails(1, "is not a picture");
        Path whole =
                PictureFiles.png(
                        folder.resolve("whole.png"),
                        PictureFiles.halves(300, 200, BufferedImage.TYPE_INT_RGB));
        runOn(PictureFiles.cut(whole, folder.resolve("half.png"), 0.5)).fails(1, "is broken");
        assertFalse(Files.exists(output));
    }

    @Test
    void refusesPlacesWhereNothingCanBeWritten() throws IOException {
        output = folder.resolve("missing/out.png");
        run().fails(1, "the folder", "missing does not exist");
        output = Files.createDirectory(folder.resolve("folder.png"));
        run().fails(1, "is a folder");
    }

    @Test
    void refusesToOverwriteThePicture() throws IOException {
        output =
                PictureFiles.png(
                        folder.resolve("p.png"),
                        PictureFiles.halves(30, 20, BufferedImage.TYPE_INT_RGB));
        byte[] before = Files.readAllBytes(output);
        runOn(output).fails(1, "is what is read");
        runOn(folder.resolve("../" + folder.getFileName() + "/p.png")).fails(1, "is what is read");
        assertArrayEquals(before, Files.readAllBytes(output));
    }

    @Test
    void saysWhenAFolderIsProtected() throws IOException {
        Path shut = Files.createDirectory(folder.resolve("shut"));
        assumeTrue(Files.getFileStore(shut).supportsFileAttributeView("posix"));
        Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeTrue(!Files.isWritable(shut), "this user may write everywhere");
        output = shut.resolve("out.png");
        run().fails(1, "permission denied");
    }

    @Test
    void saysWhenTheDiskIsFull() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "only Linux has a disk that is always full");
        Files.createSymbolicLink(output, full);
        try {
            run("--size", "16").fails(1, "out.png cannot be written");
        } finally {
            Files.delete(output);
        }
    }

    @Test
    void groupsASinglePixel() throws IOException {
        Path image =
                PictureFiles.png(
                        folder.resolve("1.png"),
                        PictureFiles.halves(1, 1, BufferedImage.TYPE_INT_RGB));
        runOn(image).fails(2, "--slots must be at most the number of pixels, here 1, got 6");
        for (String method : new String[] {"kmeans", "stick-breaking"}) {
            Run run = runOn(image, "--slots", "1", "--method", method).succeeds();
            assertTrue(run.out().contains("Pixels of the 1 slots: 1"), run.out());
        }
        assertEquals(0x0000FF, figure().getRGB(Figure.GAP + 5, Figure.GAP + 5) & 0xFFFFFF);
    }

    @Test
    void groupsAsManyPixelsAsSlots() throws IOException {
        BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 2, 2, new int[] {0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF}, 0, 2);
        Path file = PictureFiles.png(folder.resolve("4.png"), image);
        Run run = runOn(file, "--slots", "4").succeeds();
        assertTrue(run.out().contains("slots: 1, 1, 1, 1"), run.out());
        runOn(file, "--slots", "5").fails(2, "here 4, got 5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kmeans", "stick-breaking"})
    void groupsAPictureOfOneColour(String method) throws IOException {
        Path image =
                PictureFiles.png(
                        folder.resolve("black.png"),
                        new BufferedImage(50, 30, BufferedImage.TYPE_INT_RGB));
        runOn(image, "--method", method, "--position", "0").succeeds();
        runOn(image, "--method", method).succeeds();
    }

    @ParameterizedTest
    @CsvSource({"3000, 1, 400, 1", "1, 700, 1, 400"})
    void groupsALine(int width, int height, int panelWidth, int panelHeight) throws IOException {
        Path image =
                PictureFiles.png(
                        folder.resolve("line.png"),
                        PictureFiles.halves(width, height, BufferedImage.TYPE_INT_RGB));
        runOn(image, "--slots", "1").succeeds();
        assertEquals(3 * (panelWidth + Figure.GAP) + Figure.GAP, figure().getWidth());
        assertEquals(panelHeight + Figure.BAR + 2 * Figure.GAP, figure().getHeight());
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg"})
    void groupsAHugePicture(String type) throws IOException {
        BufferedImage image = PictureFiles.halves(6000, 4000, BufferedImage.TYPE_3BYTE_BGR);
        Path file = folder.resolve("huge." + type);
        if ("png".equals(type)) {
            PictureFiles.png(file, image);
        } else {
            PictureFiles.jpeg(file, image);
        }
        Run run = runOn(file, "--slots", "2").succeeds();
        assertTrue(run.out().contains("6000 x 4000: grouped at 240 x 160"), run.out());
        assertTrue(run.out().contains("slots: 19200, 19200"), run.out());
        assertEquals(4 * (400 + Figure.GAP) + Figure.GAP, figure().getWidth());
    }

    @Test
    void groupsIntoManySlots() throws IOException {
        run("--slots", "64", "--size", "60").succeeds();
        BufferedImage figure = figure();
        assertTrue((long) figure.getWidth() * figure.getHeight() < 14_000_000);
        // The last of 66 panels: the eleventh row's sixth.
        int rgb =
                figure.getRGB(
                        figure.getWidth() - Figure.GAP - 1, figure.getHeight() - Figure.GAP - 1);
        assertEquals(Palette.colourBlindSafe().rgb(63), rgb & 0xFFFFFF);
    }

    @Test
    void groupsUnusualFormats() throws IOException {
        runOn(PictureFiles.cmyk(folder.resolve("c.jpg"), 64, 32, 0, 255, 255, 0)).succeeds();
        runOn(
                        PictureFiles.png(
                                folder.resolve("a.png"),
                                new BufferedImage(9, 9, BufferedImage.TYPE_INT_ARGB)))
                .succeeds();
        assertEquals(0xFFFFFF, figure().getRGB(Figure.GAP + 100, Figure.GAP + 100) & 0xFFFFFF);
        runOn(
                        PictureFiles.png(
                                folder.resolve("g.png"),
                                new BufferedImage(9, 9, BufferedImage.TYPE_BYTE_GRAY)))
                .succeeds();
    }

    @Test
    void putsTheLargestSlotFirst() {
        int width = 200;
        int height = 100;
        // Three quarters of the picture to slot 2, a quarter to slot 0, nothing to slot 1.
        float[] attributions = new float[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int slot = i % width < width / 4 ? 0 : 2;
            attributions[slot * width * height + i] = 0.6f;
            attributions[width * height + i] = 0.4f;
        }
        BufferedImage size = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray array = manager.create(attributions, new Shape(1, 3, width * height));
            SlotMasks masks = GroupPixels.masks(array, ImageFactory.getInstance().fromImage(size));
            assertArrayEquals(
                    new int[] {width * height * 3 / 4, width * height / 4, 0}, masks.sizes());
            assertEquals(1, masks.at(1, 50, 10));
            assertEquals(1, masks.at(0, 50, 190));
        }
    }
}
