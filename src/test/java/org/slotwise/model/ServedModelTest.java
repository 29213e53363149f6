package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.JsonNumbers.assertNear;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.DeferredTranslatorFactory;
import ai.djl.translate.ServingTranslatorFactory;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryServingTranslator;
import org.slotwise.image.Palette;

/** A saved model behind DJL's classes for servers: requests in, answers out. */
class ServedModelTest {

    private static final String WHO = "ObjectDiscoveryServingTranslator: ";

    @TempDir Path folder;

    private final ObjectDiscoveryModel model = ObjectDiscoveryModel.create(SmallModels.random(), 1);

    @BeforeEach
    void save() throws IOException {
        model.save(folder.resolve("model"));
        model.save(folder.resolve("model.zip"));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static byte[] png(Image image) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        image.save(out, "png");
        return out.toByteArray();
    }

    private static Image image(byte[] bytes) throws IOException {
        return ImageFactory.getInstance().fromInputStream(new ByteArrayInputStream(bytes));
    }

    /** A request as DJL's server makes it: headers as properties, and the body as "data". */
    private static Input request(byte[] body, @Nullable String accept) {
        Input input = new Input();
        if (accept != null) {
            input.addProperty("accept", accept);
        }
        input.add("data", body);
        return input;
    }

    /** As DJL's server loads models: it passes on what stands in serving.properties. */
    private static Criteria.Builder<Input, Output> asTheServer(Path path) {
        return Criteria.builder()
                .setTypes(Input.class, Output.class)
                .optModelUrls(path.toUri().toString())
                .optModelName("shapes")
                .optEngine("PyTorch")
                .optArgument("batchifier", "stack")
                .optArgument("blockFactory", ObjectDiscoveryBlockFactory.class.getName())
                .optArgument("translatorFactory", ObjectDiscoveryTranslatorFactory.class.getName());
    }

    private Criteria<Input, Output> criteria(String how, Path path) {
        Criteria.Builder<Input, Output> plain =
                Criteria.builder()
                        .setTypes(Input.class, Output.class)
                        .optModelPath(path)
                        .optEngine("PyTorch");
        return switch (how) {
            case "server" -> asTheServer(path).build();
            case "deferred" -> plain.optTranslatorFactory(new DeferredTranslatorFactory()).build();
            case "serving" -> plain.optTranslatorFactory(new ServingTranslatorFactory()).build();
            default -> plain.build();
        };
    }

    private static JsonObject json(Output output) {
        assertEquals("application/json", output.getProperty("content-type", null));
        return JsonParser.parseString(output.getData().getAsString()).getAsJsonObject();
    }

    private void assertAnswersJson(Image image, Output output) {
        assertEquals(200, output.getCode());
        json(output);
        assertNear(
                model.predict(image).objects().toJson(),
                new String(output.getData().getAsBytes(), StandardCharsets.UTF_8));
    }

    /** Also that colours are those of the segmentation, pixel by pixel. */
    private void assertAnswersPng(Image image, Output output) throws IOException {
        assertEquals(200, output.getCode());
        assertEquals("image/png", output.getProperty("Content-Type", null));
        byte[] bytes = output.getData().getAsBytes();
        assertArrayEquals(new byte[] {(byte) 0x89, 'P', 'N', 'G'}, Arrays.copyOf(bytes, 4));
        BufferedImage drawn = ImageIO.read(new ByteArrayInputStream(bytes));
        int[][] expected = model.predict(image).segmentation().getMask();
        assertEquals(image.getHeight(), drawn.getHeight());
        assertEquals(image.getWidth(), drawn.getWidth());
        Palette palette = Palette.colourBlindSafe();
        for (int y = 0; y < expected.length; y++) {
            for (int x = 0; x < expected[y].length; x++) {
                assertEquals(palette.rgb(expected[y][x]), drawn.getRGB(x, y) & 0xFFFFFF);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"server", "deferred", "serving", "default"})
    void isServedFromFolderAndZip(String how) throws Exception {
        Image image = ObjectDiscoveryModelTest.image(20, 13, 2);
        for (String name : List.of("model", "model.zip")) {
            try (ZooModel<Input, Output> zoo = criteria(how, folder.resolve(name)).loadModel();
                    Predictor<Input, Output> predictor = zoo.newPredictor()) {
                assertAnswersJson(image, predictor.predict(request(png(image), null)));
                assertAnswersPng(image, predictor.predict(request(png(image), "image/png")));
            }
        }
    }

    private static void assertRefused(int code, String reason, String message, Output output) {
        assertEquals(code, output.getCode());
        assertEquals(reason, output.getMessage());
        JsonObject error = json(output);
        assertEquals(code, error.get("code").getAsInt());
        assertEquals(reason, error.get("type").getAsString());
        String got = error.get("message").getAsString();
        assertTrue(got.startsWith(WHO + message), got);
    }

    /** Eight pictures of eight sizes, one of them none; two forms. */
    @Test
    void aBadPictureFailsAlone() throws Exception {
        List<Image> images = new ArrayList<>();
        List<Input> requests = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Image image = ObjectDiscoveryModelTest.image(5 + 7 * i, 40 - 4 * i, i);
            images.add(image);
            byte[] body = i == 3 ? Arrays.copyOf(png(image), 60) : png(image);
            requests.add(request(body, i % 2 == 0 ? "image/png" : "application/json"));
        }
        try (ZooModel<Input, Output> zoo =
                        asTheServer(folder.resolve("model")).build().loadModel();
                Predictor<Input, Output> predictor = zoo.newPredictor()) {
            List<Output> outputs = predictor.batchPredict(requests);
            assertEquals(8, outputs.size());
            for (int i = 0; i < 8; i++) {
                if (i == 3) {
                    assertRefused(400, "Bad Request", "picture: ", outputs.get(i));
                } else if (i % 2 == 0) {
                    assertAnswersPng(images.get(i), outputs.get(i));
                } else {
                    assertAnswersJson(images.get(i), outputs.get(i));
                }
            }
            assertEquals(List.of(), predictor.batchPredict(List.of()));
        }
    }

    @Test
    void whatCannotBeAnsweredIsSaid() throws Exception {
        byte[] good = png(ObjectDiscoveryModelTest.image(9, 9, 1));
        byte[] large = png(ObjectDiscoveryModelTest.image(12, 12, 1));
        Input empty = new Input();
        Input url =
                request(
                        "{\"image_url\": \"file:///etc/passwd\"}".getBytes(StandardCharsets.UTF_8),
                        null);
        url.addProperty("Content-Type", "application/json; charset=utf-8");
        Input jpeg = request(good, "text/html\r\nSet-Cookie: a=b" + "x".repeat(5000));
        Criteria<Input, Output> criteria =
                asTheServer(folder.resolve("model.zip")).optArgument("mostPixels", "100").build();
        try (ZooModel<Input, Output> zoo = criteria.loadModel();
                Predictor<Input, Output> predictor = zoo.newPredictor()) {
            List<Output> outputs =
                    predictor.batchPredict(
                            List.of(
                                    empty,
                                    request(new byte[0], null),
                                    request("no picture".getBytes(StandardCharsets.UTF_8), null),
                                    url,
                                    jpeg,
                                    request(large, null)));
            assertRefused(400, "Bad Request", "no picture was sent", outputs.get(0));
            assertRefused(400, "Bad Request", "no picture was sent", outputs.get(1));
            assertRefused(
                    400, "Bad Request", "picture: not an image of a known kind", outputs.get(2));
            assertRefused(
                    415,
                    "Unsupported Media Type",
                    "the picture itself must be sent, got application/json",
                    outputs.get(3));
            assertRefused(
                    406,
                    "Not Acceptable",
                    "Accept must allow application/json or image/png, got text/html",
                    outputs.get(4));
            assertTrue(outputs.get(4).getData().getAsBytes().length < 400);
            assertRefused(
                    400,
                    "Bad Request",
                    "picture: the image says that it has 12 x 12 pixels, more than 100 in all",
                    outputs.get(5));
            // None of them has spoilt what comes after.
            assertEquals(200, predictor.predict(request(good, null)).getCode());
            assertEquals(406, predictor.predict(request(good, "text/plain")).getCode());
        }
    }

    /** The body of a form has a name, beside which others may stand. */
    @Test
    void formsAndTypesOfPictures() throws Exception {
        Image image = ObjectDiscoveryModelTest.image(9, 14, 1);
        try (ZooModel<Input, Output> zoo =
                        asTheServer(folder.resolve("model")).build().loadModel();
                Predictor<Input, Output> predictor = zoo.newPredictor()) {
            Input form = new Input();
            form.addProperty("Content-Type", "multipart/form-data; boundary=x");
            form.add("model_version", "1");
            form.add("data", png(image));
            assertAnswersJson(image, predictor.predict(form));
            for (String type : List.of("jpg", "bmp", "gif")) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                ImageIO.write((BufferedImage) image.getWrappedImage(), type, out);
                byte[] bytes = out.toByteArray();
                assertAnswersJson(image(bytes), predictor.predict(request(bytes, "*/*")));
            }
        }
    }

    /** Whatever a picture's bytes are, there is an answer. */
    @Test
    void damagedBytesNeverStopTheOthers() throws Exception {
        Image image = ObjectDiscoveryModelTest.image(16, 16, 1);
        ByteArrayOutputStream jpg = new ByteArrayOutputStream();
        ImageIO.write((BufferedImage) image.getWrappedImage(), "jpg", jpg);
        Random random = new Random(5);
        try (ZooModel<Input, Output> zoo =
                        asTheServer(folder.resolve("model")).build().loadModel();
                Predictor<Input, Output> predictor = zoo.newPredictor()) {
            for (byte[] whole : List.of(png(image), jpg.toByteArray())) {
                List<Input> requests = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    byte[] bytes = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
                    for (int k = 0; k < 4; k++) {
                        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                    }
                    requests.add(request(bytes, null));
                }
                requests.add(request(png(image), null));
                List<Output> outputs = predictor.batchPredict(requests);
                for (Output output : outputs) {
                    assertTrue(List.of(200, 400).contains(output.getCode()));
                }
                assertAnswersJson(image, outputs.get(100));
            }
        }
    }

    /** DJL's own wrapper of translators from images, for comparison: it knows batches too. */
    @Test
    void agreesWithDjlsOwnServingTranslator() throws Exception {
        Image image = ObjectDiscoveryModelTest.image(20, 13, 2);
        Translator<Input, Output> own =
                new ai.djl.modality.cv.translator.ImageServingTranslator(
                        ObjectDiscoveryTranslatorFactory.of(model.block()).toCategoryMask());
        try (Predictor<Input, Output> predictor = model.model().newPredictor(own)) {
            Output output = predictor.predict(request(png(image), null));
            JsonObject mask =
                    JsonParser.parseString(output.getData().getAsString()).getAsJsonObject();
            int[][] expected = model.predict(image).segmentation().getMask();
            for (int y = 0; y < expected.length; y++) {
                for (int x = 0; x < expected[y].length; x++) {
                    assertEquals(
                            expected[y][x],
                            mask.getAsJsonArray("mask").get(y).getAsJsonArray().get(x).getAsInt());
                }
            }
        }
    }

    /** One way in and the other way out, as callers of translators may go. */
    @Test
    void wholeBatchesAndOneByOne() throws Exception {
        List<Image> images =
                List.of(
                        ObjectDiscoveryModelTest.image(20, 13, 2),
                        ObjectDiscoveryModelTest.image(7, 30, 3));
        ObjectDiscoveryServingTranslator translator =
                new ObjectDiscoveryServingTranslator(
                        ObjectDiscoveryTranslatorFactory.of(model.block()));
        List<Input> requests = new ArrayList<>();
        requests.add(request("bad".getBytes(StandardCharsets.UTF_8), null));
        for (Image image : images) {
            requests.add(request(png(image), "image/png"));
        }
        // Batches in, one by one out.
        Translator<Input, Output> mixed =
                new Translator<>() {
                    @Override
                    public NDList batchProcessInput(TranslatorContext ctx, List<Input> inputs) {
                        return translator.batchProcessInput(ctx, inputs);
                    }

                    @Override
                    public NDList processInput(TranslatorContext ctx, Input input) {
                        throw new AssertionError();
                    }

                    @Override
                    public Output processOutput(TranslatorContext ctx, NDList list)
                            throws IOException {
                        return translator.processOutput(ctx, list);
                    }
                };
        // One by one in, batches out.
        Translator<Input, Output> other =
                new Translator<>() {
                    @Override
                    public NDList processInput(TranslatorContext ctx, Input input)
                            throws TranslateException {
                        return translator.processInput(ctx, input);
                    }

                    @Override
                    public Output processOutput(TranslatorContext ctx, NDList list) {
                        throw new AssertionError();
                    }

                    @Override
                    public List<Output> batchProcessOutput(TranslatorContext ctx, NDList list)
                            throws IOException {
                        return translator.batchProcessOutput(ctx, list);
                    }
                };
        try (Predictor<Input, Output> predictor = model.model().newPredictor(mixed)) {
            List<Output> outputs = predictor.batchPredict(requests);
            assertEquals(2, outputs.size());
            assertAnswersPng(images.get(0), outputs.get(0));
            assertAnswersPng(images.get(1), outputs.get(1));
        }
        try (Predictor<Input, Output> predictor = model.model().newPredictor(other)) {
            List<Output> outputs = predictor.batchPredict(requests.subList(1, 3));
            assertAnswersPng(images.get(0), outputs.get(0));
            assertAnswersPng(images.get(1), outputs.get(1));
            TranslateException e =
                    assertThrows(TranslateException.class, () -> predictor.batchPredict(requests));
            assertTrue(e.getMessage().startsWith(WHO + "picture: not an image"));
        }
    }

    /** A line of serving.properties, or an argument of the server's. */
    @Test
    void theBackgroundStandsBesideTheObjects() throws Exception {
        Image image = ObjectDiscoveryModelTest.image(20, 13, 2);
        for (String value : List.of("none", "largest", "2")) {
            Criteria<Input, Output> criteria =
                    asTheServer(folder.resolve("model"))
                            .optArgument("background", value)
                            .optArgument("leastScore", "0")
                            .build();
            try (ZooModel<Input, Output> zoo = criteria.loadModel();
                    Predictor<Input, Output> predictor = zoo.newPredictor()) {
                JsonObject found = json(predictor.predict(request(png(image), null)));
                // By itself a model takes the largest slot for the background.
                String alone = model.predict(image).objects(0).toJson();
                JsonObject plain = JsonParser.parseString(alone).getAsJsonObject();
                int objects = plain.getAsJsonArray("objects").size();
                boolean none = value.equals("none");
                assertEquals(none, found.get("background").isJsonNull());
                assertEquals(none ? objects + 1 : objects, found.getAsJsonArray("objects").size());
                if (value.equals("largest")) {
                    assertNear(alone, found.toString());
                }
            }
        }
        for (String value : List.of("sky", "-1", "4", "1.5", "")) {
            Criteria<Input, Output> criteria =
                    asTheServer(folder.resolve("model")).optArgument("background", value).build();
            Throwable e = assertThrows(ModelNotFoundException.class, criteria::loadModel);
            while (e.getCause() != null) {
                e = e.getCause();
            }
            assertEquals(
                    "ObjectDiscoveryTranslatorFactory: background must be none, largest or a"
                            + " slot from 0 to 3, got "
                            + value,
                    e.getMessage());
        }
    }

    /** The same rule in Java and on a server: what scores less than a half is no object. */
    @Test
    void leastScoresAreTheSameEverywhere() throws Exception {
        Image image = ObjectDiscoveryModelTest.image(20, 13, 2);
        DiscoveredObjects here = model.predict(image);
        assertEquals(DiscoveredObjects.LEAST_SCORE, here.leastScore());
        assertTrue(here.objects(0).count() > here.objects(0.5).count());
        assertEquals(here.objects(0.5), here.objects());
        double middle =
                here.objects(0).objects().stream().mapToDouble(o -> o.score()).sum()
                        / here.objects(0).count();
        for (Object[] asked :
                new Object[][] {{null, 0.5}, {"0", 0.0}, {" 1 ", 1.0}, {"" + middle, middle}}) {
            Criteria.Builder<Input, Output> criteria = asTheServer(folder.resolve("model"));
            if (asked[0] != null) {
                criteria.optArgument("leastScore", asked[0]);
            }
            try (ZooModel<Input, Output> zoo = criteria.build().loadModel();
                    Predictor<Input, Output> predictor = zoo.newPredictor()) {
                assertNear(
                        here.objects((double) asked[1]).toJson(),
                        json(predictor.predict(request(png(image), null))).toString());
            }
        }
        for (String value : List.of("-0.1", "1.1", "NaN", "half", "")) {
            Criteria<Input, Output> criteria =
                    asTheServer(folder.resolve("model")).optArgument("leastScore", value).build();
            Throwable e = assertThrows(ModelNotFoundException.class, criteria::loadModel);
            while (e.getCause() != null) {
                e = e.getCause();
            }
            assertEquals(
                    "ObjectDiscoveryTranslatorFactory: leastScore must be a number from 0 to 1, got "
                            + value,
                    e.getMessage());
        }
    }

    @Test
    void refusesWhatItWasNotMadeFor() throws Exception {
        ModelNotFoundException bad =
                assertThrows(
                        ModelNotFoundException.class,
                        () ->
                                asTheServer(folder.resolve("model"))
                                        .optArgument("mostPixels", "many")
                                        .build()
                                        .loadModel());
        Throwable cause = bad;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        assertEquals(
                "ObjectDiscoveryTranslatorFactory: mostPixels must be a whole number of at least"
                        + " 1, got many",
                cause.getMessage());
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                new ObjectDiscoveryServingTranslator(
                                        ObjectDiscoveryTranslatorFactory.of(model.block()), 0));
        assertEquals(WHO + "mostPixels must be at least 1, got 0", e.getMessage());
        try (Model other = Model.newInstance("other", "PyTorch")) {
            assertInstanceOf(
                    TranslateException.class,
                    assertThrows(
                            TranslateException.class,
                            () ->
                                    new ObjectDiscoveryTranslatorFactory()
                                            .newInstance(
                                                    Input.class,
                                                    DiscoveredObjects.class,
                                                    other,
                                                    Map.of())));
        }
    }

    /** DJL unpacks a .zip once, and never looks at it again. */
    @ParameterizedTest
    @ValueSource(strings = {"model.zip", "model"})
    void aModelThatWasReplacedIsNotAskedAnyMore(String name) throws Exception {
        Path path = folder.resolve(name);
        Image image = ObjectDiscoveryModelTest.image(9, 11, 3);
        for (long seed = 1; seed < 4; seed++) {
            try (ObjectDiscoveryModel made =
                    ObjectDiscoveryModel.create(SmallModels.settled(), seed)) {
                made.save(path);
                String expected = made.predict(image).objects(0).toJson();
                try (ZooModel<Input, Output> served =
                                asTheServer(path).optArgument("leastScore", 0).build().loadModel();
                        Predictor<Input, Output> predictor = served.newPredictor()) {
                    Output answer = predictor.predict(request(png(image), null));
                    assertNear(expected, answer.getData().getAsString());
                }
            }
        }
    }
}
