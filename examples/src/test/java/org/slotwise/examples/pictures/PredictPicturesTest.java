package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Run;
import org.slotwise.image.CocoAnnotations;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.ObjectList;

/** Finding the objects of pictures, and writing what was found. */
class PredictPicturesTest extends PicturePrograms {

    @Test
    void findsObjectsAndWritesThem() throws IOException {
        train("model").succeeds();
        Files.copy(
                drawn.resolve("images/000.png"),
                Files.createDirectory(drawn.resolve("images/more")).resolve("000.png"));
        String out =
                Run.of(
                                new PredictPictures(),
                                "--model",
                                at("model"),
                                "--images",
                                drawn.resolve("images").toString(),
                                "--out",
                                at("found"),
                                "--format",
                                "png,mask,json,coco",
                                "--least-score",
                                "0")
                        .succeeds()
                        .out();
        assertTrue(out.startsWith("13 pictures, "), out);
        Path found = folder.resolve("found");
        assertEquals(13 * 3 + 1, names(found).size());
        ObjectList objects = ObjectList.fromJson(Files.readString(found.resolve("003.json")));
        assertEquals(SIDE, objects.height());
        DiscoveredObject ground = objects.background();
        assertTrue(objects.objects().stream().allMatch(one -> one.area() <= ground.area()));
        assertEquals(
                Files.readString(found.resolve("000.json")),
                Files.readString(found.resolve("more/000.json")));
        BufferedImage labels = ImageIO.read(found.resolve("003_mask.png").toFile());
        TreeSet<Integer> seen = new TreeSet<>();
        for (int i = 0; i < SIDE * SIDE; i++) {
            int label = labels.getRaster().getSample(i % SIDE, i / SIDE, 0);
            seen.add(label);
            if (label > 0) {
                assertTrue(
                        objects.objects().get(label - 1).mask().at(i / SIDE, i % SIDE),
                        () -> "label " + label);
            }
        }
        assertEquals(objects.count(), seen.last());
        BufferedImage overlay = ImageIO.read(found.resolve("003.png").toFile());
        assertEquals(8 * SIDE, overlay.getWidth());
        CocoAnnotations coco =
                CocoAnnotations.fromJson(Files.readString(found.resolve("coco.json")));
        assertEquals(13, coco.images().size());
        assertEquals("more/000.png", coco.images().get(12).fileName());
        assertEquals(objects.count(), coco.images().get(3).objects().count());

        String one = drawn.resolve("images/005.png").toString();
        String[] again = {"--model", at("model"), "--images", one, "--least-score"};
        Run.of(new PredictPictures(), all(again, "0", "--out", at("one"))).succeeds();
        assertEquals(List.of("005.json", "005.png"), names(folder.resolve("one")));
        assertEquals(
                Files.readString(found.resolve("005.json")),
                Files.readString(folder.resolve("one/005.json")));
        // A model that has learnt nothing is sure of nothing: the picture stays as it is.
        Run.of(new PredictPictures(), all(again, "1", "--out", at("sure"))).succeeds();
        Path sure = folder.resolve("sure");
        assertEquals(0, ObjectList.fromJson(Files.readString(sure.resolve("005.json"))).count());
        assertEquals(
                ImageIO.read(Path.of(one).toFile()).getRGB(3, 3),
                ImageIO.read(sure.resolve("005.png").toFile()).getRGB(8 * 3, 8 * 3));
    }

    /** Files are called as pictures in an archive are, but never lie outside of the folder. */
    @Test
    void picturesOfAnArchiveKeepTheirNames() throws IOException {
        byte[] picture = Files.readAllBytes(drawn.resolve("images/003.png"));
        Path shard = folder.resolve("shard.tar");
        try (OutputStream out = Files.newOutputStream(shard)) {
            for (String name :
                    new String[] {
                        "cats/tom one.png", "../../evil.png", "/root.png", "x/../y.png"
                    }) {
                OwnPicturesTest.entry(out, name, picture);
            }
            out.write(new byte[1024]);
        }
        Path found = folder.resolve("deep/found");
        String[] args = {"--model", "tetrominoes", "--images", shard.toString(), "--out"};
        Run.of(new PredictPictures(), all(args, found.toString(), "--format", "json,coco"))
                .succeeds();
        try (Stream<Path> files = Files.walk(folder.resolve("deep"))) {
            assertEquals(
                    List.of(
                            "000001.json",
                            "000002.json",
                            "cats/tom one.json",
                            "coco.json",
                            "y.json"),
                    files.filter(Files::isRegularFile)
                            .map(file -> found.relativize(file).toString().replace('\\', '/'))
                            .sorted()
                            .toList());
        }
        CocoAnnotations coco =
                CocoAnnotations.fromJson(Files.readString(found.resolve("coco.json")));
        assertEquals("cats/tom one.png", coco.images().get(0).fileName());
    }

    /** What the background is, is said as a server is told. */
    @Test
    void theBackgroundIsTheSlotThatIsAskedFor() throws IOException {
        String one = drawn.resolve("images/005.png").toString();
        String[] some = {"--model", "tetrominoes", "--images", one, "--least-score", "0"};
        Path largest = folder.resolve("largest");
        Run.of(new PredictPictures(), all(some, "--background", "largest", "--out", "" + largest))
                .succeeds();
        Run.of(new PredictPictures(), all(some, "--out", at("usual"))).succeeds();
        String usual = Files.readString(folder.resolve("usual/005.json"));
        assertEquals(usual, Files.readString(largest.resolve("005.json")));
        ObjectList objects = ObjectList.fromJson(usual);
        Run.of(new PredictPictures(), all(some, "--background", "none", "--out", at("none")))
                .succeeds();
        ObjectList all = ObjectList.fromJson(Files.readString(folder.resolve("none/005.json")));
        assertEquals(objects.count() + 1, all.count());
        assertNull(all.background());
        for (String wrong : new String[] {"4", "-1", "black"}) {
            Run.of(new PredictPictures(), all(some, "--background", wrong, "--out", at("w")))
                    .fails(
                            2,
                            "--background must be none, largest or a slot from 0 to 3, got "
                                    + wrong);
        }
    }

    /** With the model of Tetrominoes that comes with the library. */
    @Test
    void oneBrokenPictureDoesNotKeepOthersFromBeingDone() throws IOException {
        Files.writeString(drawn.resolve("images/004.png"), "no picture");
        Run run =
                Run.of(
                        new PredictPictures(),
                        "--model",
                        "tetrominoes",
                        "--images",
                        drawn.toString(),
                        "--out",
                        at("found"),
                        "--format",
                        "json");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("004.png: not an image"), run.err());
        assertTrue(run.out().startsWith("11 pictures, "), run.out());
        assertEquals(11, names(folder.resolve("found")).size());
    }

    @Test
    void looksAtSmallCopiesOfLargePictures() throws IOException {
        Path large = folder.resolve("large.jpg");
        ImageIO.write(
                new BufferedImage(900, 300, BufferedImage.TYPE_INT_RGB), "jpg", large.toFile());
        Run.of(
                        new PredictPictures(),
                        "--model",
                        "tetrominoes",
                        "--images",
                        large.toString(),
                        "--out",
                        at("found"),
                        "--max-side",
                        "300",
                        "--format",
                        "png,json,mask,coco",
                        "--least-score",
                        "0")
                .succeeds();
        ObjectList objects =
                ObjectList.fromJson(Files.readString(folder.resolve("found/large.json")));
        assertEquals(900, objects.width());
        assertEquals(300, objects.height());
        assertTrue(Files.readString(folder.resolve("found/coco.json")).contains("\"width\":900"));
        BufferedImage mask = ImageIO.read(folder.resolve("found/large_mask.png").toFile());
        assertEquals(900, mask.getWidth());
        assertEquals(300, mask.getHeight());
        assertEquals(300, ImageIO.read(folder.resolve("found/large.png").toFile()).getWidth());
    }

    /** The model of Tetrominoes sees 35 x 35 pixels. */
    @Test
    void tellsOfPicturesThatAreTooSmallToShowMuch() throws IOException {
        Path images = Files.createDirectory(folder.resolve("small"));
        int[][] sizes = {{9, 9}, {3, 2}, {8, 40}};
        for (int i = 0; i < sizes.length; i++) {
            BufferedImage image =
                    new BufferedImage(sizes[i][0], sizes[i][1], BufferedImage.TYPE_INT_RGB);
            ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
        }
        Run both = predict(images, folder.resolve("both")).succeeds();
        String told = "Too small to show much at 35 x 35 pixels, which the model sees: ";
        assertTrue(both.out().contains(told + "2 pictures, such as 1.png, 3 x 2"), both.out());
        Run one = predict(images.resolve("2.png"), folder.resolve("one")).succeeds();
        assertTrue(one.out().contains(told + "2.png, 8 x 40"), one.out());
        Run none = predict(images.resolve("0.png"), folder.resolve("none")).succeeds();
        assertFalse(none.out().contains("Too small"), none.out());
    }

    /** Whatever way leads to the pictures that are read, they and their masks stay as they are. */
    @Test
    void writesNothingAmongThePicturesThatItReads() throws IOException {
        Path images = drawn.resolve("images");
        Path link = Files.createSymbolicLink(folder.resolve("link"), images);
        Path all = Files.createSymbolicLink(folder.resolve("all"), drawn);
        Path relative = Path.of("").toAbsolutePath().relativize(images);
        Files.createDirectory(images.resolve("more"));
        for (Path from : List.of(drawn, images, link, all, relative)) {
            for (Path to :
                    List.of(
                            images,
                            link,
                            relative,
                            images.resolve("."),
                            images.resolve("more/.."),
                            images.resolve("more"),
                            link.resolve("new/folder"),
                            all.resolve("images"))) {
                predict(from, to).fails(2, "--out must not lie among the pictures");
                Run.of(
                                new ShowPictures(),
                                "--model",
                                "tetrominoes",
                                "--images",
                                from.toString(),
                                "--out",
                                to.resolve("000.png").toString())
                        .fails(to.endsWith("new/folder") ? 1 : 2, "--out");
            }
        }
        for (Path to : List.of(drawn, drawn.resolve("masks"), all)) {
            predict(drawn, to).fails(2, "--out must not lie among the pictures");
        }
        Path one = images.resolve("000.png");
        for (Path to : List.of(images, link, relative)) {
            predict(one, to).fails(2, "--out must be another folder than the picture's");
        }
        assertEquals(24, names(drawn).size());
        predict(drawn, drawn.resolve("found")).succeeds();
        predict(one, images.resolve("more")).succeeds();
    }

    @Test
    void leavesNoFolderWhereNoPictureCanBeRead() throws IOException {
        Path broken = Files.createDirectory(folder.resolve("broken"));
        Files.writeString(broken.resolve("a.png"), "no picture");
        Files.writeString(broken.resolve("b.png"), "no picture");
        for (String format : List.of("json", "png,mask,json,coco")) {
            Run run =
                    Run.of(
                            new PredictPictures(),
                            "--model",
                            "tetrominoes",
                            "--images",
                            broken.toString(),
                            "--out",
                            at("found/here"),
                            "--format",
                            format);
            run.fails(
                    1,
                    "--images: 2 pictures could not be read, the first one",
                    "a.png: not an image");
            assertFalse(Files.exists(folder.resolve("found")));
        }
    }
}
