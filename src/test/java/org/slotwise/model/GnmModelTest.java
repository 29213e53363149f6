package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.JsonNumbers.assertNear;

import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.translate.DeferredTranslatorFactory;
import ai.djl.translate.TranslateException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmDraws;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectList;
import org.slotwise.weights.StateDict;

/** A GNM is kept, loaded by DJL, and served as other models are. */
class GnmModelTest {

    @TempDir private Path folder;

    private final GnmModel model = GnmModel.create(GnmConfiguration.small(32), 3);

    @AfterEach
    void close() {
        model.close();
    }

    private static Image picture(int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.RED);
        graphics.fillRect(5, 5, 12, 12);
        graphics.setColor(Color.GREEN);
        graphics.fillOval(width - 15, height - 15, 12, 12);
        graphics.dispose();
        return ImageFactory.getInstance().fromImage(image);
    }

    private static List<Image> pictures() {
        return List.of(picture(50, 40), picture(32, 32), picture(20, 64));
    }

    private static List<ObjectList> objects(List<DiscoveredObjects> found) {
        return found.stream().map(DiscoveredObjects::objects).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void isKept(String name) throws IOException {
        Path path = folder.resolve(name);
        model.save(path);
        model.save(path); // what is there is a model, and may be replaced
        List<ObjectList> expected = objects(model.predict(pictures()));
        assertTrue(expected.stream().anyMatch(list -> list.count() > 0), "nothing is found");
        try (GnmModel loaded = GnmModel.load(path)) {
            assertEquals(model.block().sizes(), loaded.block().sizes());
            assertEquals(expected, objects(loaded.predict(pictures())));
            assertEquals(List.of(), loaded.predict(List.of()));
        }
        try (PictureModel loaded = PictureModel.load(path)) {
            assertEquals(GnmModel.class, loaded.getClass());
            assertEquals(32, loaded.imageHeight());
            assertEquals(expected, objects(loaded.predict(pictures())));
            loaded.save(folder.resolve("again.zip"));
        }
        try (PictureModel again = PictureModel.load(folder.resolve("again.zip"))) {
            assertEquals(expected, objects(again.predict(pictures())));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void isLoadedByDjl(String name) throws Exception {
        Path path = folder.resolve(name);
        model.save(path);
        Image picture = picture(50, 40);
        DiscoveredObjects expected = model.predict(picture);
        try (ZooModel<Image, DiscoveredObjects> zoo =
                        criteria(Image.class, DiscoveredObjects.class, path).loadModel();
                Predictor<Image, DiscoveredObjects> predictor = zoo.newPredictor()) {
            DiscoveredObjects found = predictor.predict(picture);
            assertEquals(expected.objects(), found.objects());
            for (int k = 0; k < expected.slots().length; k++) {
                assertArrayEquals(expected.slots()[k], found.slots()[k]);
            }
        }
        try (ZooModel<Image, CategoryMask> zoo =
                        criteria(Image.class, CategoryMask.class, path).loadModel();
                Predictor<Image, CategoryMask> predictor = zoo.newPredictor()) {
            assertArrayEquals(
                    expected.segmentation().getMask(), predictor.predict(picture).getMask());
        }
    }

    private static <I, O> Criteria<I, O> criteria(Class<I> input, Class<O> output, Path path) {
        return criteria(input, output, path, "0");
    }

    private static <I, O> Criteria<I, O> criteria(
            Class<I> input, Class<O> output, Path path, String background) {
        return Criteria.builder()
                .setTypes(input, output)
                .optModelPath(path)
                .optEngine("PyTorch")
                .optArgument("background", background)
                .optTranslatorFactory(new DeferredTranslatorFactory())
                .build();
    }

    @Test
    void isServed() throws Exception {
        Path path = folder.resolve("model.zip");
        model.save(path);
        Image picture = picture(50, 40);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        picture.save(png, "png");
        try (ZooModel<Input, Output> zoo = criteria(Input.class, Output.class, path).loadModel();
                Predictor<Input, Output> predictor = zoo.newPredictor()) {
            Input request = new Input();
            request.add("data", png.toByteArray());
            Output answer = predictor.predict(request);
            assertEquals(200, answer.getCode());
            assertNear(
                    model.predict(picture).objects().toJson(),
                    new String(answer.getData().getAsBytes(), StandardCharsets.UTF_8));
            Input nonsense = new Input();
            nonsense.add("data", new byte[] {1, 2, 3});
            assertEquals(400, predictor.predict(nonsense).getCode());
        }
    }

    @Test
    void objectsAreCellsThatArePresent() {
        Image picture = picture(32, 32);
        DiscoveredObjects found = model.predict(picture);
        try (var manager = model.model().getNDManager().newSubManager()) {
            float[] values = new float[3 * 32 * 32];
            for (int i = 0; i < 32 * 32; i++) {
                Color colour =
                        new Color(
                                ((BufferedImage) picture.getWrappedImage()).getRGB(i % 32, i / 32));
                values[i] = colour.getRed() / 255f;
                values[1024 + i] = colour.getGreen() / 255f;
                values[2048 + i] = colour.getBlue() / 255f;
            }
            var images = manager.create(values, new ai.djl.ndarray.types.Shape(1, 3, 32, 32));
            var cells =
                    model.block()
                            .explain(new ParameterStore(manager, false), images, GnmDraws.mode())
                            .cells();
            float[] presence = cells.presence().toFloatArray();
            for (int n = 0; n < presence.length; n++) {
                assertEquals(presence[n], found.slots()[n + 1][0], "cell " + n);
            }
            assertTrue(
                    found.objects().objects().stream().allMatch(o -> presence[o.slot() - 1] == 1));
        }
    }

    @Test
    void backgroundIsChecked() throws IOException {
        Path path = folder.resolve("model.zip");
        model.save(path);
        ModelNotFoundException refused =
                assertThrows(
                        ModelNotFoundException.class,
                        () ->
                                criteria(Image.class, DiscoveredObjects.class, path, "17")
                                        .loadModel());
        Throwable cause = refused;
        while (!(cause instanceof TranslateException)) {
            cause = cause.getCause();
        }
        assertTrue(cause.getMessage().contains("a slot from 0 to 16, got 17"), cause.getMessage());
    }

    @Test
    void whatIsDamagedIsNamed() throws IOException {
        Path path = folder.resolve("model");
        model.save(path);
        Path json = path.resolve("model.json");
        String whole = Files.readString(json);
        for (String broken :
                new String[] {
                    "",
                    "{}",
                    whole.replace("slotwise-gnm", "slotwise-object-discovery"),
                    whole.replace("\"cells\": 4", "\"cells\": 5"),
                    whole.replace("\"channels\": 3", "\"channels\": 1"),
                    whole.replaceFirst("\"sigma\": [^,\n]*", "\"sigma\": -1")
                }) {
            Files.writeString(json, broken);
            refused(path, "model.json");
        }
        Files.writeString(json, whole);
        Path weights = path.resolve("weights.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length / 2));
        refused(path, "weights.safetensors");
        byte[] spoilt = bytes.clone();
        Arrays.fill(spoilt, spoilt.length - 4, spoilt.length, (byte) 0xff); // NaN
        Files.write(weights, spoilt);
        refused(path, "must be finite");
        Files.delete(weights);
        refused(path, "weights.safetensors");
        refused(folder.resolve("none"), "none");
        // What is of no kind is told as before.
        for (Path none : List.of(folder, folder.resolve("none"), json)) {
            IOException told = assertThrows(IOException.class, () -> PictureModel.load(none));
            assertTrue(told.getMessage().startsWith("ObjectDiscoveryModel: cannot load " + none));
        }
        try (ObjectDiscoveryModel other = ObjectDiscoveryModel.create(SmallModels.random(), 1)) {
            other.save(folder.resolve("other.zip"));
        }
        try (PictureModel other = PictureModel.load(folder.resolve("other.zip"))) {
            assertEquals(ObjectDiscoveryModel.class, other.getClass());
        }
        // One kind is not taken for the other.
        model.save(folder.resolve("gnm.zip"));
        assertThrows(IOException.class, () -> ObjectDiscoveryModel.load(folder.resolve("gnm.zip")));
    }

    private static void refused(Path path, String what) {
        IOException refused = assertThrows(IOException.class, () -> GnmModel.load(path));
        String message = refused.getMessage();
        assertTrue(message.startsWith("GnmModel: cannot load " + path), message);
        assertTrue(message.contains(what), message);
    }

    @Test
    void otherThanColourPicturesAreRefused() {
        GnmConfiguration small = GnmConfiguration.small(32);
        GnmConfiguration.Picture grey = new GnmConfiguration.Picture(32, 1, false, false);
        IllegalArgumentException refused =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                GnmFolder.requireColours(
                                        new GnmConfiguration(
                                                grey,
                                                4,
                                                small.latents(),
                                                grey(small.networks()),
                                                0.1)));
        assertEquals("GnmModel: picture.channels must be 3, got 1", refused.getMessage());
    }

    private static org.slotwise.gnm.GnmNetworks grey(org.slotwise.gnm.GnmNetworks networks) {
        return new org.slotwise.gnm.GnmNetworks(
                networks.encoder(),
                networks.cells(),
                ending(networks.glimpse()),
                ending(networks.background()),
                networks.scene(),
                networks.backgroundPosterior(),
                networks.backgroundPrior());
    }

    private static org.slotwise.gnm.GnmNetworks.Stack ending(
            org.slotwise.gnm.GnmNetworks.Stack stack) {
        List<Integer> filters = new java.util.ArrayList<>(stack.filters());
        filters.set(filters.size() - 1, 1);
        return org.slotwise.gnm.GnmNetworks.Stack.of(filters, stack.kernels(), stack.steps());
    }

    /** Weights of double precision are read as such. */
    @Test
    void typesAreKept() throws IOException {
        Path path = folder.resolve("model");
        model.save(path);
        Path weights = path.resolve("weights.safetensors");
        try (StateDict single = StateDict.read(weights)) {
            java.util.Map<String, ai.djl.ndarray.NDArray> all = new java.util.LinkedHashMap<>();
            single.arrays().forEach((n, array) -> all.put(n, array.toType(DataType.FLOAT64, true)));
            StateDict.of(all).write(weights);
        }
        try (GnmModel loaded = GnmModel.load(path)) {
            assertEquals(DataType.FLOAT64, loaded.model().getDataType());
            assertEquals(
                    model.predict(picture(32, 32)).objects().count(),
                    loaded.predict(picture(32, 32)).objects().count());
        }
    }
}
