package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.DeferredTranslatorFactory;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.data.Crop;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectList;
import org.slotwise.image.Palette;
import org.slotwise.image.SlotPictures;

/** Pictures that are wider than high: one geometry from training to a server's answers. */
class PictureFitModelTest {

    private static final int HEIGHT = 10;
    private static final int WIDTH = 17;
    private static final Crop MIDDLE = new Crop(0, 3, 10, 10);

    @TempDir Path folder;

    private static ObjectDiscoveryModel model(PictureFit fit) {
        return ObjectDiscoveryModel.create(SmallModels.settled().withFit(fit), 1);
    }

    private static BufferedImage buffered(Image image) {
        return (BufferedImage) image.getWrappedImage();
    }

    private static byte[] png(Image image) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        image.save(out, "png");
        return out.toByteArray();
    }

    /** What the model sees of a crop is what it sees of the picture; places are the picture's. */
    @Test
    void cropsAndBringsPlacesBack() {
        Image picture = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, 3);
        Image middle = picture.getSubImage(MIDDLE.left(), 0, MIDDLE.width(), MIDDLE.height());
        try (ObjectDiscoveryModel model = model(PictureFit.CROP)) {
            DiscoveredObjects whole = model.predict(picture);
            DiscoveredObjects part = model.predict(middle);
            assertEquals(MIDDLE, whole.window());
            assertArrayEquals(part.slots(), whole.slots());
            int outside = model.configuration().slots();
            CategoryMask classes = whole.segmentation();
            assertEquals("outside", classes.getClasses().get(outside));
            assertEquals(outside, part.segmentation().getClasses().size());
            for (int y = 0; y < HEIGHT; y++) {
                for (int x = 0; x < WIDTH; x++) {
                    int in = x - MIDDLE.left();
                    assertEquals(
                            in >= 0 && in < MIDDLE.width()
                                    ? part.segmentation().getMask()[y][in]
                                    : outside,
                            classes.getMask()[y][x]);
                }
            }
            ObjectList objects = whole.objects(0);
            List<DiscoveredObject> same = part.objects(0).objects();
            assertEquals(same.size(), objects.count());
            assertTrue(objects.count() > 0);
            assertEquals(WIDTH, objects.width());
            for (int i = 0; i < same.size(); i++) {
                DiscoveredObject object = objects.objects().get(i);
                assertEquals(same.get(i).score(), object.score());
                assertEquals(same.get(i).area(), object.area());
                assertEquals(same.get(i).box().x() + MIDDLE.left(), object.box().x());
                assertEquals(same.get(i).box().y(), object.box().y());
                assertEquals(same.get(i).box().width(), object.box().width());
            }
            assertEquals(
                    part.objects(0).background().box().x() + MIDDLE.left(),
                    objects.background().box().x());
        }
    }

    @Test
    void squeezesWhole() {
        Image picture = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, 3);
        try (ObjectDiscoveryModel model = model(PictureFit.SQUEEZE)) {
            DiscoveredObjects found = model.predict(picture);
            assertEquals(new Crop(0, 0, HEIGHT, WIDTH), found.window());
            assertEquals(4, found.segmentation().getClasses().size());
            int pixels = found.objects(0).background().area();
            for (DiscoveredObject object : found.objects(0).objects()) {
                pixels += object.area();
            }
            assertEquals(HEIGHT * WIDTH, pixels);
        }
    }

    /** Files that are read for the model are what its translator makes of pictures. */
    @ParameterizedTest
    @EnumSource(PictureFit.class)
    void learnsWhatItWillSee(PictureFit fit) throws Exception {
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        for (int i = 0; i < 3; i++) {
            Image image = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, i);
            ImageIO.write(buffered(image), "png", pictures.resolve(i + ".png").toFile());
        }
        try (ObjectDiscoveryModel model = model(fit);
                SceneFiles files =
                        SceneFiles.builder()
                                .setPath(pictures)
                                .setSize(8, 8)
                                .optFit(model.configuration().fit())
                                .build()) {
            for (int i = 0; i < 3; i++) {
                Scene scene = files.scenes().orElseThrow().get(i);
                BufferedImage seen = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
                for (int p = 0; p < 64; p++) {
                    int rgb = 0;
                    for (int c = 0; c < 3; c++) {
                        rgb = (rgb << 8) | (scene.image()[3 * p + c] & 0xff);
                    }
                    seen.setRGB(p % 8, p / 8, rgb);
                }
                Image picture = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, i);
                Image square = ai.djl.modality.cv.ImageFactory.getInstance().fromImage(seen);
                assertArrayEquals(model.predict(square).slots(), model.predict(picture).slots());
            }
        }
    }

    /** Scenes that are not of the model's size are scored as they are predicted. */
    @Test
    void scoresAndTrainsAsItPredicts() throws Exception {
        byte[] image = new byte[3 * HEIGHT * WIDTH];
        byte[] mask = new byte[HEIGHT * WIDTH];
        new java.util.Random(1).nextBytes(image);
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (i % WIDTH < 8 ? 1 : 2);
        }
        Scene scene = new Scene(HEIGHT, WIDTH, image, mask);
        Scenes wide = scenes(scene);
        Scenes cut = scenes(scene.crop(MIDDLE));
        TrainingRecipe recipe = Presets.named("pictures").recipe().withSteps(3).withBatchSize(2);
        try (ObjectDiscoveryModel crops = model(PictureFit.CROP);
                ObjectDiscoveryModel other = model(PictureFit.CROP);
                ObjectDiscoveryModel squeezes = model(PictureFit.SQUEEZE)) {
            assertEquals(crops.evaluate(cut), crops.evaluate(wide));
            assertEquals(squeezes.evaluate(cut), crops.evaluate(cut));
            assertNotEquals(squeezes.evaluate(wide), crops.evaluate(wide));
            assertEquals(other.fit(cut, recipe).loss(), crops.fit(wide, recipe).loss());
            assertNotEquals(squeezes.fit(wide, recipe).loss(), crops.fit(wide, recipe).loss());
        }
    }

    private static Scenes scenes(Scene scene) {
        return new Scenes() {
            @Override
            public long size() {
                return 2;
            }

            @Override
            public Scene get(long index) {
                return scene;
            }
        };
    }

    /** Saved, loaded, by DJL and behind its server: the same answers. */
    @ParameterizedTest
    @EnumSource(PictureFit.class)
    void isSavedWithTheModel(PictureFit fit) throws Exception {
        Image picture = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, 4);
        Path path = folder.resolve("model");
        DiscoveredObjects here;
        try (ObjectDiscoveryModel model = model(fit)) {
            here = model.predict(picture);
            model.save(path);
        }
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(path)) {
            assertEquals(fit, model.configuration().fit());
            assertEquals(here.objects(0), model.predict(picture).objects(0));
        }
        try (ZooModel<Image, DiscoveredObjects> model =
                        criteria(Image.class, DiscoveredObjects.class, path).loadModel();
                Predictor<Image, DiscoveredObjects> predictor = model.newPredictor()) {
            assertEquals(here.objects(0), predictor.predict(picture).objects(0));
        }
        try (ZooModel<Input, Output> model = criteria(Input.class, Output.class, path).loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            Input request = new Input();
            request.add("data", png(picture));
            assertEquals(
                    here.objects().toJson(), predictor.predict(request).getData().getAsString());
            request.addProperty("Accept", "image/png");
            BufferedImage answer =
                    ImageIO.read(
                            new ByteArrayInputStream(
                                    predictor.predict(request).getData().getAsBytes()));
            assertEquals(WIDTH, answer.getWidth());
            for (int y = 0; y < HEIGHT; y++) {
                for (int x = 0; x < WIDTH; x++) {
                    int slot = here.segmentation().getMask()[y][x];
                    int colour = slot < 4 ? Palette.colourBlindSafe().rgb(slot) : 0;
                    assertEquals(colour, answer.getRGB(x, y) & 0xffffff);
                }
            }
        }
        // Files of older models do not say.
        Path json = path.resolve("model.json");
        Files.writeString(
                json, Files.readString(json).replaceFirst("\"fit\": \"[a-z]+\",\\s*", ""));
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(path)) {
            assertEquals(PictureFit.SQUEEZE, model.configuration().fit());
        }
    }

    private static <I, O> Criteria<I, O> criteria(Class<I> in, Class<O> out, Path path) {
        return Criteria.builder()
                .setTypes(in, out)
                .optModelPath(path)
                .optEngine("PyTorch")
                .optTranslatorFactory(new DeferredTranslatorFactory())
                .build();
    }

    /** What the model has not seen stays as it is, at any size of the picture. */
    @Test
    void drawsOverWhatWasSeen() {
        Image picture = ObjectDiscoveryModelTest.image(HEIGHT, WIDTH, 5);
        SlotPictures pictures = SlotPictures.builder().optOutline(0).build();
        try (ObjectDiscoveryModel model = model(PictureFit.CROP)) {
            DiscoveredObjects found = model.predict(picture);
            for (int scale : new int[] {1, 3}) {
                Image large = picture.resize(WIDTH * scale, HEIGHT * scale, true);
                BufferedImage drawn = buffered(pictures.overlay(large, found));
                assertEquals(WIDTH * scale, drawn.getWidth());
                int changed = 0;
                for (int y = 0; y < drawn.getHeight(); y++) {
                    for (int x = 0; x < drawn.getWidth(); x++) {
                        boolean same =
                                (drawn.getRGB(x, y) & 0xffffff)
                                        == (buffered(large).getRGB(x, y) & 0xffffff);
                        int in = x / scale - MIDDLE.left();
                        if (in < 0 || in >= MIDDLE.width()) {
                            assertTrue(same, x + ", " + y);
                        }
                        changed += same ? 0 : 1;
                    }
                }
                assertTrue(changed > 90 * scale * scale, changed + " pixels");
            }
        }
    }
}
