package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.translate.DeferredTranslatorFactory;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Run;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.image.CocoAnnotations;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectList;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.GnmModel;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;
import org.slotwise.model.Presets;

/** From pictures to masks, with trainings that are too short to learn anything. */
class PicturesTest {

    private static final int SIDE = DrawnPictures.SIDE;

    @TempDir Path folder;
    private Path drawn;

    @BeforeEach
    void draw() throws IOException {
        drawn = DrawnPictures.draw(folder.resolve("drawn"), 12);
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    /** A short training; options replace those of the same name or come after them. */
    private Run train(String name, String... more) {
        List<String> args = ShortTraining.options(drawn.toString(), at(name), 3, more);
        if (!args.contains("--report")) {
            args.addAll(List.of("--report", "2"));
        }
        return Run.of(new TrainPictures(), args.toArray(String[]::new));
    }

    private static String[] all(String[] some, String... more) {
        return Stream.concat(Stream.of(some), Stream.of(more)).toArray(String[]::new);
    }

    private static List<String> names(Path in) throws IOException {
        try (Stream<Path> files = Files.walk(in)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> in.relativize(file).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void trainsScoresAndKeepsAModel() throws IOException {
        String out =
                train(
                                "model",
                                "--history",
                                at("h.csv"),
                                "--tensorboard",
                                at("events"),
                                "--log",
                                at("train.log"))
                        .succeeds()
                        .out();
        assertTrue(
                out.contains("pictures: 11 pictures of 16 x 16 and 1 held out, 3 slots; 3 steps"),
                out);
        assertTrue(out.contains("These are few pictures"), out);
        assertTrue(out.matches("(?s).*step +2  loss 0\\.\\d+  FG-ARI .*, \\d+ s left.*"), out);
        for (String row : List.of("model, 3 slots", "k-means on colour and place", "a grid of")) {
            assertTrue(out.contains(row), out);
        }
        assertEquals(out, Files.readString(folder.resolve("train.log")));
        List<String> history = Files.readAllLines(folder.resolve("h.csv"));
        assertEquals(
                "time,step,loss,gradient_norm,learning_rate,fg_ari,ari,mbo,miou,mse",
                history.get(0));
        assertEquals(3, history.size());
        assertTrue(history.get(2).matches("[^,]+,3(,-?[\\d.E-]+){8}"), history.get(2));
        assertEquals(1, names(folder.resolve("events")).size());
        assertEquals(
                List.of("model.json", "serving.properties", "weights.safetensors"),
                names(folder.resolve("model")));

        String table =
                Run.of(
                                new EvaluatePictures(),
                                "--model",
                                at("model"),
                                "--images",
                                drawn.resolve("images").toString(),
                                "--masks",
                                drawn.resolve("masks").toString())
                        .succeeds()
                        .out();
        assertTrue(table.startsWith("12 pictures"), table);
        assertTrue(table.contains("FG-ARI     ARI     mBO    mIoU"), table);
        assertTrue(table.contains("model, 3 slots"), table);
    }

    @Test
    void repeatsASeedAndReplacesAModel() throws IOException {
        train("a", "--seed", "3").succeeds();
        train("b.zip", "--seed", "4").succeeds();
        train("b", "--seed", "4").succeeds();
        Path weights = Path.of("weights.safetensors");
        byte[] first = Files.readAllBytes(folder.resolve("a").resolve(weights));
        assertFalse(Arrays.equals(first, Files.readAllBytes(folder.resolve("b").resolve(weights))));
        train("b", "--seed", "3").succeeds();
        assertArrayEquals(first, Files.readAllBytes(folder.resolve("b").resolve(weights)));
    }

    @Test
    void learnsWithoutMasks() {
        String images = drawn.resolve("images").toString();
        String out = train("new/model", "--images", images).succeeds().out();
        assertTrue(out.contains("pictures: 12 pictures of 16 x 16, 3 slots; 3 steps"), out);
        train("x", "--images", images, "--held-out", "1").fails(2, "--held-out needs masks");
        assertFalse(out.contains("FG-ARI"), out);
    }

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

    @Test
    void draws() throws IOException {
        train("model.zip").succeeds();
        for (String what : List.of("scenes", "all")) {
            Run.of(
                            new ShowPictures(),
                            "--model",
                            at("model.zip"),
                            "--images",
                            drawn.toString(),
                            "--pictures",
                            "2",
                            "--what",
                            what,
                            "--out",
                            at(what + ".png"))
                    .succeeds();
        }
        BufferedImage scenes = ImageIO.read(folder.resolve("scenes.png").toFile());
        BufferedImage all = ImageIO.read(folder.resolve("all.png").toFile());
        assertEquals((scenes.getHeight() - 6) * 4, all.getHeight() - 6);
    }

    @Test
    void makesAFileThatDjlLoads() throws Exception {
        train("model").succeeds();
        Run.of(new PackageModel(), "--model", at("model"), "--out", at("m.zip")).succeeds();
        Criteria<Image, DiscoveredObjects> criteria =
                Criteria.builder()
                        .setTypes(Image.class, DiscoveredObjects.class)
                        .optModelPath(folder.resolve("m.zip"))
                        .optEngine("PyTorch")
                        .optTranslatorFactory(new DeferredTranslatorFactory())
                        .build();
        try (ZooModel<Image, DiscoveredObjects> model = criteria.loadModel()) {
            Image image = ImageFactory.getInstance().fromFile(drawn.resolve("images/000.png"));
            assertEquals(3, model.newPredictor().predict(image).masks().slots());
        }
        Run.of(new PackageModel(), "--model", at("model"), "--out", at("m.tar"))
                .fails(2, "--out must end in .zip");
        Run.of(new PackageModel(), "--model", at("model"), "--torchscript", at("m.pt")).succeeds();
        try (Model script = Model.newInstance("m", null, "PyTorch");
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            script.load(folder, "m.pt", Map.of());
            NDList made =
                    script.getBlock()
                            .forward(
                                    new ParameterStore(manager, false),
                                    new NDList(manager.ones(new Shape(2, 3, 16, 16))),
                                    false);
            assertEquals(new Shape(2, 3, 16, 16), made.get("masks").getShape());
        }
        for (String name : ObjectDiscoveryModel.shippedNames()) {
            Run.of(new PackageModel(), "--model", name, "--torchscript", at(name + ".pt"))
                    .succeeds();
            assertTrue(Files.exists(folder.resolve(name + ".pt")));
        }
        ObjectDiscoveryConfiguration c = Presets.named("pictures").configuration();
        ObjectDiscoveryConfiguration drawn =
                new ObjectDiscoveryConfiguration(
                        16,
                        16,
                        c.colours(),
                        3,
                        c.slotDim(),
                        c.encoder(),
                        new ConditioningConfiguration.RandomFeatures(0L),
                        c.grouping(),
                        c.decoder());
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(drawn, 0)) {
            model.save(folder.resolve("drawn-starts"));
        }
        Run.of(new PackageModel(), "--model", at("drawn-starts"), "--torchscript", at("t.pt"))
                .fails(1, "drawn-starts has no form for PyTorch: its conditioning has none");
        assertFalse(Files.exists(folder.resolve("t.pt")));
    }

    @Test
    void refusesWhatANewUserMayTry() throws IOException {
        train("other/..", "--report", "0").fails(2, "--report");
        Files.createDirectory(folder.resolve("full"));
        Files.writeString(folder.resolve("full/notes.txt"), "mine");
        train("full")
                .fails(
                        1,
                        "--out",
                        "full: it has other files than a model's in it, such as notes.txt");
        Files.writeString(folder.resolve("mine.zip"), "mine");
        train("mine.zip").fails(1, "--out", "mine.zip: it is no whole zip file");
        Files.writeString(folder.resolve("file"), "mine");
        train("file/model").fails(1, "--out", "file is a file, not a folder");
        train("file").fails(1, "--out", "file", "is a file");
        assertEquals("mine", Files.readString(folder.resolve("mine.zip")));
        train("x", "--preset", "foo").fails(2, "--preset must be one of [clevr, ");
        train("x", "--preset", "clevr").fails(2, "preset clevr cannot be made so", "128");
        train("x", "--preset", "dinosaur").fails(2, "--preset dinosaur needs --backbone");
        train("x", "--held-out", "12").fails(2, "--held-out must be below", "12, got 12");
        train("x", "--history", at("x/h.csv")).fails(1, "--history", "does not exist");
        assertFalse(Files.exists(folder.resolve("x")));
        train("x", "--masks", at("none")).fails(1, "none does not exist");
        Path masks = Files.createDirectory(folder.resolve("others"));
        train("x", "--masks", masks.toString(), "--images", drawn.resolve("images").toString())
                .fails(1, "000.png: its mask", "is missing");
        Files.delete(drawn.resolve("masks/007.png"));
        train("x").fails(1, "007.png", "is missing");

        train("x", "--images", at("nothing")).fails(1, "nothing does not exist");
        String empty = Files.createDirectory(folder.resolve("empty")).toString();
        train("x", "--images", empty).fails(1, "empty", "this folder is empty; what is read");
        Path one = DrawnPictures.draw(folder.resolve("one"), 1);
        train("x", "--images", one.toString()).fails(1, "one has one picture");
        train("x", "--images", one.toString(), "--size", "160")
                .fails(1, "000.png is too small, 32 x 32", "at least 40 x 40");

        Run.of(
                        new EvaluatePictures(),
                        "--model",
                        "tetrominoes",
                        "--images",
                        one.resolve("images").toString())
                .fails(1, "images has no masks to score by");
        Run.of(new EvaluatePictures(), "--model", "sprites", "--images", one.toString())
                .fails(1, "sprites does not exist", "multi-dsprites and tetrominoes");
        Run.of(new EvaluatePictures(), "--model", at("one"), "--images", one.toString())
                .fails(1, "it has no model.json");
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

    private Run predict(Path from, Path to) {
        return Run.of(
                new PredictPictures(),
                "--model",
                "tetrominoes",
                "--images",
                from.toString(),
                "--out",
                to.toString(),
                "--format",
                "json");
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

    @Test
    void packageLeavesOtherFilesAlone() throws IOException {
        Path mine = Files.writeString(folder.resolve("mine.zip"), "mine");
        Run.of(new PackageModel(), "--model", "tetrominoes", "--out", mine.toString())
                .fails(1, "--out", "mine.zip: it is no whole zip file, and is not overwritten");
        assertEquals("mine", Files.readString(mine));
    }

    @Test
    void saysInItsUsersTermsWhatIsWrongWithAModel() throws IOException {
        train("model").succeeds();
        Path json = folder.resolve("model/model.json");
        String text = Files.readString(json);
        Files.writeString(json, text.replaceFirst("\\{", "{\"zork\": 1,"));
        Run run =
                Run.of(
                        new EvaluatePictures(),
                        "--model",
                        at("model"),
                        "--images",
                        drawn.toString());
        run.fails(1, "--model: cannot load ", "model.json: zork is unknown");
        assertFalse(run.err().contains("ObjectDiscovery"), run.err());
        Run made = train("x", "--preset", "clevr");
        made.fails(2, "preset clevr cannot be made so");
        assertFalse(made.err().contains("Configuration"), made.err());
    }

    @Test
    void saysOfWhichVersionAModelIs() throws IOException {
        train("model").succeeds();
        Path json = folder.resolve("model/model.json");
        Files.writeString(
                json, Files.readString(json).replaceFirst("\"version\": \\d+", "\"version\": 99"));
        Run.of(new EvaluatePictures(), "--model", at("model"), "--images", drawn.toString())
                .fails(1, "it is of version 99");
    }

    /** A model of another kind is packaged too; where it has no place that is said. */
    @Test
    void modelsThatCountObjects() throws IOException {
        try (GnmModel counting = GnmModel.create(GnmConfiguration.small(32), 3)) {
            counting.save(folder.resolve("counting"));
        }
        String model = at("counting");
        Run.of(new PackageModel(), "--model", model, "--out", at("counting.zip")).succeeds();
        try (PictureModel loaded = PictureModel.load(folder.resolve("counting.zip"))) {
            assertTrue(loaded instanceof GnmModel);
        }
        Run.of(new PackageModel(), "--model", model, "--torchscript", at("counting.pt"))
                .fails(1, "--torchscript: the model", "has no form for PyTorch");
        for (Object program : List.of(new EvaluatePictures(), new ShowPictures())) {
            Run.of(program, "--model", model, "--images", drawn.toString())
                    .fails(1, "is a model that counts objects", "slotwise gnm");
        }
    }

    @Test
    void scoresSquaresAndSaysSo() throws IOException {
        try (ObjectDiscoveryModel wide =
                ObjectDiscoveryModel.create(
                        Presets.named("pictures").withImageSize(16, 24).configuration(), 0)) {
            wide.save(folder.resolve("wide"));
        }
        Run.of(new EvaluatePictures(), "--model", at("wide"), "--images", drawn.toString())
                .fails(1, "sees pictures of 16 x 24, and only squares");
    }
}
