package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.PictureFit;
import org.slotwise.examples.Slotwise;
import org.slotwise.examples.shared.Run;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.ObjectList;
import org.slotwise.model.ObjectDiscoveryModel;

/** What somebody meets who has not read the manual. */
class NewUserTest {

    private static final int SIDE = DrawnPictures.SIDE;

    @TempDir Path folder;
    private Path drawn;

    @BeforeEach
    void draw() throws IOException {
        drawn = DrawnPictures.draw(folder.resolve("drawn"), 4);
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    /** A short training; options replace those of the same name or come after them. */
    private Run train(String name, String... more) {
        List<String> args = new ArrayList<>(List.of("train"));
        args.addAll(ShortTraining.options(drawn.toString(), at(name), 2, more));
        return slotwise(args.toArray(String[]::new));
    }

    private static Run slotwise(String... args) {
        return Run.of(Slotwise.command(), args);
    }

    private Run predict(String model, String images, String out, String... more) {
        List<String> args =
                new ArrayList<>(List.of("predict", "--model", model, "--images", images));
        args.addAll(List.of("--out", at(out)));
        args.addAll(List.of(more));
        return slotwise(args.toArray(String[]::new));
    }

    private static List<String> names(Path in) throws IOException {
        try (Stream<Path> files = Files.list(in)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Pictures twice as wide as high, with a square in the middle, and one at the left. */
    private Path wide() throws IOException {
        Path pictures = Files.createDirectory(folder.resolve("wide"));
        for (int i = 0; i < 3; i++) {
            BufferedImage image = new BufferedImage(80, 40, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < 80 * 40; p++) {
                int x = p % 80;
                int y = p / 80;
                boolean middle = x >= 36 && x < 46 && y >= 10 && y < 20;
                boolean left = x >= 2 && x < 12 && y >= 24 && y < 34;
                image.setRGB(x, y, middle ? 0xff2020 : left ? 0x20ff20 : 0x202060 + 8 * i);
            }
            ImageIO.write(image, "png", pictures.resolve(i + ".png").toFile());
        }
        return pictures;
    }

    /** What a model was trained to see is what predict, show and evaluate look at. */
    @ParameterizedTest
    @ValueSource(strings = {"crop", "squeeze"})
    void widePictures(String fit) throws IOException {
        Path wide = wide();
        String out = train("m", "--images", wide.toString(), "--fit", fit).succeeds().out();
        boolean crop = fit.equals("crop");
        assertEquals(crop, out.contains("of 16 x 16 cut from their middle, 3 slots"), out);
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(folder.resolve("m"))) {
            assertEquals(crop ? PictureFit.CROP : PictureFit.SQUEEZE, model.configuration().fit());
        }
        predict(
                        at("m"),
                        wide.toString(),
                        "found",
                        "--least-score",
                        "0",
                        "--format",
                        "json,png,mask")
                .succeeds();
        ObjectList found = ObjectList.fromJson(Files.readString(folder.resolve("found/0.json")));
        assertEquals(80, found.width());
        assertEquals(40, found.height());
        List<DiscoveredObject> all = new ArrayList<>(found.objects());
        all.add(found.background());
        int pixels = 0;
        for (DiscoveredObject object : all) {
            pixels += object.area();
            if (crop) {
                assertTrue(object.box().x() >= 20, object.toString());
                assertTrue(object.box().x() + object.box().width() <= 60, object.toString());
            }
        }
        assertEquals(crop ? 40 * 40 : 80 * 40, pixels);
        BufferedImage picture = ImageIO.read(wide.resolve("0.png").toFile());
        BufferedImage over = ImageIO.read(folder.resolve("found/0.png").toFile());
        int scale = over.getWidth() / 80;
        if (crop) { // what the model has not seen stays as it is
            assertEquals(picture.getRGB(5, 28), over.getRGB(5 * scale, 28 * scale));
        }
        slotwise("show", "--model", at("m"), "--images", wide.toString(), "--out", at("s.png"))
                .succeeds();
    }

    @Test
    void masksThatPredictWroteInAnotherFolder() throws IOException {
        Path masks = Files.createDirectory(folder.resolve("other-masks"));
        for (String name : names(drawn.resolve("masks"))) {
            Files.copy(
                    drawn.resolve("masks").resolve(name),
                    masks.resolve(name.replace(".png", "_mask.png")));
        }
        train("m").succeeds();
        String images = drawn.resolve("images").toString();
        String usual =
                slotwise("evaluate", "--model", at("m"), "--images", drawn.toString())
                        .succeeds()
                        .out();
        assertEquals(
                usual,
                slotwise(
                                "evaluate",
                                "--model",
                                at("m"),
                                "--images",
                                images,
                                "--masks",
                                masks.toString())
                        .succeeds()
                        .out());
    }

    @Test
    void outAndOutputAreTheSame() throws IOException {
        String images = drawn.resolve("images").toString();
        slotwise("predict", "--model", "tetrominoes", "--images", images, "--output=" + at("found"))
                .succeeds();
        assertEquals(8, names(folder.resolve("found")).size());
        slotwise("group", "--out", at("g.png")).succeeds();
        assertTrue(Files.exists(folder.resolve("g.png")));
        slotwise("slate", "show", "--out", at("s.txt"))
                .fails(2, "--output must end in .png, got " + at("s.txt"));
        slotwise("evaluate", "--model", "tetrominoes", "--images", images, "--out", at("x"))
                .fails(2, "--out");
    }

    @Test
    void resultsOfTwoRunsDoNotMixInSilence() throws IOException {
        String images = drawn.resolve("images").toString();
        String first = predict("tetrominoes", images, "found").succeeds().out();
        assertTrue(first.startsWith("4 pictures, "), first);
        assertFalse(first.contains("Not of this run"), first);
        String again = predict("tetrominoes", images, "found").succeeds().out();
        assertEquals(first, again);
        String one = drawn.resolve("images/001.png").toString();
        String mixed = predict("tetrominoes", one, "found").succeeds().out();
        assertTrue(mixed.startsWith("1 picture, "), mixed);
        assertTrue(
                mixed.contains("Not of this run: 6 files in that folder, such as 000.json."),
                mixed);
    }

    @Test
    void nothingFoundIsExplained() {
        train("m").succeeds();
        String images = drawn.resolve("images").toString();
        String out = predict(at("m"), images, "found", "--least-score", "1").succeeds().out();
        assertTrue(out.startsWith("4 pictures, 0 objects: "), out);
        assertTrue(out.contains("No slot scored 1.0 or more"), out);
        assertTrue(out.contains("\"show\""), out);
        assertFalse(
                predict(at("m"), images, "found", "--least-score", "0")
                        .succeeds()
                        .out()
                        .contains("No slot"));
    }

    @Test
    void saysWhatFilesAre() throws IOException {
        String images = drawn.resolve("images").toString();
        Files.writeString(folder.resolve("m1.pt"), "");
        predict(at("m1.pt"), images, "x").fails(1, "m1.pt is a file for PyTorch", ".zip");
        Files.writeString(folder.resolve("a.webp"), "RIFF    WEBP");
        predict("tetrominoes", at("a.webp"), "x")
                .fails(
                        1,
                        "a.webp: an image in WebP, for which there is no reader",
                        "imageio-webp",
                        "PNG");
        Path webp = Files.createDirectory(folder.resolve("webp"));
        Files.move(folder.resolve("a.webp"), webp.resolve("a.webp"));
        train("m", "--images", webp.toString()).fails(1, "a.webp", "imageio-webp");
        slotwise("photos", "--images", webp.toString())
                .fails(1, "has no pictures in it", "turn those in WebP into PNG");
        train("m", "--images", drawn.resolve("images/000.png").toString())
                .fails(1, "this is one picture, and not a folder of them");
        predict("tetrominoes", images, "found.png").fails(2, "--out must be a folder");
        train("m.png").fails(2, "--out must be a folder");
        slotwise("photos", "--output", at("photos.png")).fails(2, "--output must be a folder");
        assertEquals(List.of("drawn", "m1.pt", "webp"), names(folder));
    }

    @Test
    void slateSaysWhatItHasLearnt() {
        String images = drawn.resolve("images").toString();
        String[] show = {
            "slate", "show", "--scenes", "1", "--out", at("s.png"), "--images", images
        };
        assertTrue(slotwise(show).succeeds().out().contains("has learnt tetrominoes alone"));
        String[] own = Arrays.copyOf(show, 6);
        assertFalse(slotwise(own).succeeds().out().contains("tetrominoes alone"));
    }

    @Test
    void oneSlotIsOne() {
        String out = train("m", "--slots", "1").succeeds().out();
        assertTrue(out.contains(", 1 slot; 2 steps"), out);
        assertTrue(out.contains("model, 1 slot "), out);
        assertFalse(out.contains("1 slots"), out);
    }
}
