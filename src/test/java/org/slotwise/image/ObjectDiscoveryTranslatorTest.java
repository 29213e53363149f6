package org.slotwise.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.translate.Batchifier;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import ai.djl.util.PairList;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class ObjectDiscoveryTranslatorTest {

    private static final int SIDE = 6;

    /** Slots 0, 1 and 2 take what is red, green and blue: masks (B, 3, H, W). */
    private static NDArray byColour(NDList in) {
        NDArray sharp = in.head().mul(in.getManager().full(new Shape(), 20f));
        return named("masks", sharp.softmax(1));
    }

    private static NDArray named(String name, NDArray array) {
        array.setName(name);
        return array;
    }

    /** Slot Attention on pixels, with the attention of each iteration. */
    private static final class PixelSlots extends AbstractBlock {
        private final LearntConditioning start =
                addChildBlock("start", LearntConditioning.builder().setDim(8).setSlots(3).build());
        private final SlotAttention attention =
                addChildBlock(
                        "attention", SlotAttention.builder().setDim(8).setFeatureDim(3).build());

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            NDArray images = inputs.head();
            long batch = images.getShape().get(0);
            NDArray features = images.reshape(batch, 3, -1).swapAxes(1, 2);
            NDArray slots = start.sample(store, images.getManager(), batch, 3, training);
            var trace = attention.trace(store, new FeatureExtractorOutput(features), slots, null);
            NDList out = trace.result().toNDList();
            out.add(named("attentions", trace.attentions()));
            return out;
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            start.initialize(manager, type, new Shape(1));
            attention.initialize(manager, type, new Shape(-1, -1, 3), new Shape(-1, -1, 8));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return new Shape[] {new Shape(shapes[0].get(0), 3, 8)};
        }
    }

    private static Model model(Block block) {
        Model model = Model.newInstance("test", OnDevice.device(), "PyTorch");
        model.setBlock(block);
        return model;
    }

    private static Model pixelSlots() {
        Block block = new PixelSlots();
        Model model = model(block);
        model.getNDManager().getEngine().setRandomSeed(2);
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3, SIDE, SIDE));
        return model;
    }

    private static ObjectDiscoveryTranslator.Builder translator() {
        return ObjectDiscoveryTranslator.builder().setImageSize(SIDE, SIDE);
    }

    /** Red at the left, blue at the right. */
    private static Image halves(int height, int width) {
        return image(height, width, i -> i % width < width / 2 ? 0xFF0000 : 0x0000FF);
    }

    private static Image noise(int height, int width, long seed) {
        Random random = new Random(seed);
        return image(height, width, i -> random.nextInt(0x1000000));
    }

    private static Image image(int height, int width, IntUnaryOperator colour) {
        int[] colours = new int[height * width];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = colour.applyAsInt(i);
        }
        return Pixels.image(colours, height, width, false);
    }

    private static DiscoveredObjects predict(
            Block block, ObjectDiscoveryTranslator translator, Image image)
            throws TranslateException {
        try (Model model = model(block);
                Predictor<Image, DiscoveredObjects> predictor = model.newPredictor(translator)) {
            return predictor.predict(image);
        }
    }

    private static void assertRefusedWithin(String message, Block block, Image image) {
        TranslateException e =
                assertThrows(
                        TranslateException.class,
                        () -> predict(block, translator().build(), image));
        assertInstanceOf(IllegalArgumentException.class, e.getCause());
        assertEquals(message, e.getCause().getMessage());
    }

    private static Block gives(Function<NDList, NDList> outputs) {
        return new LambdaBlock(outputs);
    }

    @Test
    void masksComeBackAtEachImagesSize() throws TranslateException {
        try (Model model = model(gives(in -> new NDList(byColour(in))));
                Predictor<Image, DiscoveredObjects> predictor =
                        model.newPredictor(translator().build())) {
            List<Image> images = List.of(halves(6, 6), halves(40, 100), halves(3, 2), halves(1, 1));
            List<DiscoveredObjects> found = predictor.batchPredict(images);
            assertEquals(4, found.size());
            for (int b = 0; b < 4; b++) {
                int height = images.get(b).getHeight();
                int width = images.get(b).getWidth();
                int[][] mask = found.get(b).segmentation().getMask();
                assertEquals(height, mask.length);
                for (int[] row : mask) {
                    assertEquals(width, row.length);
                    for (int x = 0; x < width; x++) {
                        assertEquals(x < width / 2 ? 0 : 2, row[x]);
                    }
                }
                assertEquals(SIDE, found.get(b).masks().height());
                // Alone as in the batch.
                assertSameFound(found.get(b), predictor.predict(images.get(b)));
            }
            assertEquals(
                    List.of("slot 0", "slot 1", "slot 2"),
                    found.get(0).segmentation().getClasses());
            assertEquals(0, found.get(0).slots().length);
            assertTrue(found.get(0).attention().isEmpty());
            assertTrue(found.get(0).slotImages().isEmpty());
            assertNull(found.get(0).reconstruction());
            assertEquals(List.of(), predictor.batchPredict(List.of()));
        }
    }

    private static void assertSameFound(DiscoveredObjects expected, DiscoveredObjects actual) {
        assertArrayEquals(expected.segmentation().getMask(), actual.segmentation().getMask());
        assertEquals(expected.slots().length, actual.slots().length);
        for (int k = 0; k < expected.slots().length; k++) {
            assertArrayEquals(expected.slots()[k], actual.slots()[k], 1e-5f);
        }
        SlotMasks e = expected.masks();
        for (int k = 0; k < e.slots(); k++) {
            assertArrayEquals(
                    e.map(k, e.height(), e.width()),
                    actual.masks().map(k, e.height(), e.width()),
                    1e-6f);
        }
    }

    /** As DJL's servers do: image by image, with a batchifier in between. */
    @Test
    void eachImageHasItsOwnSizeHoweverItIsAskedFor() throws Exception {
        int[][] sizes = {{12, 18}, {30, 10}, {7, 9}};
        ObjectDiscoveryTranslator direct = translator().build();
        Block block = new LambdaBlock(in -> new NDList(byColour(in)));
        for (String order : List.of("each each", "each batch", "batch each", "in turn")) {
            try (Model model = model(block)) {
                Translator<Image, DiscoveredObjects> byParts = new ByParts(direct, order);
                List<Image> images = new ArrayList<>();
                for (int[] size : sizes) {
                    images.add(halves(size[0], size[1]));
                }
                try (Predictor<Image, DiscoveredObjects> predictor = model.newPredictor(byParts)) {
                    List<DiscoveredObjects> found = predictor.batchPredict(images);
                    for (int i = 0; i < sizes.length; i++) {
                        int[][] rows = found.get(i).segmentation().getMask();
                        assertEquals(sizes[i][0], rows.length, order);
                        assertEquals(sizes[i][1], rows[0].length, order);
                    }
                }
            }
        }
    }

    /** Goes through a batch in parts, and once more around it with an image that cannot be read. */
    private record ByParts(ObjectDiscoveryTranslator direct, String order)
            implements Translator<Image, DiscoveredObjects> {

        @Override
        public NDList processInput(TranslatorContext ctx, Image input) {
            return direct.processInput(ctx, input);
        }

        @Override
        public DiscoveredObjects processOutput(TranslatorContext ctx, NDList list) {
            return direct.processOutput(ctx, list);
        }

        @Override
        public Batchifier getBatchifier() {
            return order.equals("in turn") ? null : Batchifier.STACK;
        }

        @Override
        public NDList batchProcessInput(TranslatorContext ctx, List<Image> inputs)
                throws Exception {
            if (order.startsWith("batch")) {
                return direct.batchProcessInput(ctx, inputs);
            }
            // A server drops what it cannot prepare, and goes on with the others.
            Image broken =
                    (Image)
                            Proxy.newProxyInstance(
                                    Image.class.getClassLoader(),
                                    new Class<?>[] {Image.class},
                                    (proxy, method, arguments) -> {
                                        throw new IllegalStateException("broken");
                                    });
            NDList[] parts = new NDList[inputs.size()];
            for (int i = 0; i < parts.length; i++) {
                assertThrows(IllegalStateException.class, () -> direct.processInput(ctx, broken));
                parts[i] = direct.processInput(ctx, inputs.get(i));
            }
            return getBatchifier().batchify(parts);
        }

        @Override
        public List<DiscoveredObjects> batchProcessOutput(TranslatorContext ctx, NDList list)
                throws Exception {
            if (order.endsWith("batch")) {
                return direct.batchProcessOutput(ctx, list);
            }
            List<DiscoveredObjects> found = new ArrayList<>();
            for (NDList part : getBatchifier().unbatchify(list)) {
                found.add(direct.processOutput(ctx, part));
            }
            return found;
        }
    }

    /** Masks of one image that are not finite are its own error where it is read on its own. */
    @Test
    void aBadOutputFailsAlone() throws Exception {
        ObjectDiscoveryTranslator direct = translator().build();
        Block block =
                new LambdaBlock(
                        in -> {
                            NDArray masks = byColour(in);
                            NDArray broken =
                                    masks.getManager().create(new float[] {1, Float.NaN, 1});
                            return new NDList(
                                    named("masks", masks.mul(broken.reshape(3, 1, 1, 1))));
                        });
        List<String> results = new ArrayList<>();
        Translator<Image, String> server =
                new Translator<>() {
                    @Override
                    public NDList processInput(TranslatorContext ctx, Image input) {
                        return direct.processInput(ctx, input);
                    }

                    @Override
                    public String processOutput(TranslatorContext ctx, NDList list) {
                        try {
                            int[][] rows = direct.processOutput(ctx, list).segmentation().getMask();
                            results.add(rows.length + " x " + rows[0].length);
                        } catch (IllegalArgumentException e) {
                            results.add("bad");
                        }
                        return "";
                    }
                };
        try (Model model = model(block);
                Predictor<Image, String> predictor = model.newPredictor(server)) {
            predictor.batchPredict(List.of(halves(8, 9), halves(10, 11), halves(12, 13)));
        }
        assertEquals(List.of("8 x 9", "bad", "12 x 13"), results);
    }

    @Test
    void whatWasFoundPrintsItsSizesAlone() throws TranslateException {
        Block block = new LambdaBlock(in -> new NDList(byColour(in)));
        assertEquals(
                "DiscoveredObjects[80 x 120, masks=SlotMasks(3, 6, 6), slots=0, attention=0,"
                        + " slotImages=0, reconstruction=none]",
                predict(block, translator().build(), halves(80, 120)).toString());
    }

    @Test
    void slotsAndAttentionOfEveryIteration() throws TranslateException {
        try (Model model = pixelSlots();
                Predictor<Image, DiscoveredObjects> predictor =
                        model.newPredictor(translator().build())) {
            DiscoveredObjects found = predictor.predict(halves(12, 12));
            assertEquals(3, found.slots().length);
            assertEquals(8, found.slots()[2].length);
            assertEquals(3, found.attention().size());
            SlotMasks last = found.attention().get(2);
            assertEquals("SlotMasks(3, 6, 6)", last.toString());
            // Without masks the last attention stands for them.
            for (int k = 0; k < 3; k++) {
                assertEquals(last.at(k, 5, 0), found.masks().at(k, 5, 0));
            }
            assertEquals(12, found.segmentation().getMask().length);
        }
    }

    @Test
    void coloursComeBackFromTheirNormalization() throws TranslateException {
        Block echo =
                gives(
                        in -> {
                            NDArray x = in.head();
                            return new NDList(
                                    byColour(in),
                                    named("slot_images", x.expandDims(1).repeat(1, 3)),
                                    named("reconstruction", x.reshape(x.getShape())));
                        });
        float[] mean = {0.485f, 0.456f, 0.406f};
        float[] deviation = {0.229f, 0.224f, 0.225f};
        Image image = noise(SIDE, SIDE, 4);
        DiscoveredObjects found =
                predict(echo, translator().optNormalization(mean, deviation).build(), image);
        Image again = found.reconstruction();
        assertNotNull(again);
        assertArrayEquals(Pixels.of(image, 0).rgb(), Pixels.of(again, 0).rgb());
        assertEquals(3, found.slotImages().size());
        assertArrayEquals(Pixels.of(image, 0).rgb(), Pixels.of(found.slotImages().get(2), 0).rgb());
    }

    @Test
    void normalizes() throws TranslateException {
        float[][] seen = new float[1][];
        Block block =
                gives(
                        in -> {
                            seen[0] = in.head().toFloatArray();
                            return new NDList(byColour(in));
                        });
        Image image = image(1, 1, i -> 0xFF8000);
        ObjectDiscoveryTranslator.Builder one =
                ObjectDiscoveryTranslator.builder().setImageSize(1, 1);
        predict(block, one.build(), image);
        assertArrayEquals(new float[] {1, 128 / 255f, 0}, seen[0], 1e-6f);
        predict(
                block,
                one.optNormalization(new float[] {0.5f, 0.5f, 0.5f}, new float[] {0.5f, 1, 2})
                        .build(),
                image);
        assertArrayEquals(new float[] {1, 128 / 255f - 0.5f, -0.25f}, seen[0], 1e-6f);
    }

    @ParameterizedTest
    @CsvSource({
        "TYPE_BYTE_GRAY, 100, 100, 100, 100",
        "TYPE_USHORT_GRAY, 25700, 100, 100, 100",
        "TYPE_INT_ARGB, 0, 255, 255, 255",
        "TYPE_INT_ARGB, 0, 0, 64, 128"
    })
    void takesImagesOfAllKinds(String kind, int sample, int red, int green, int blue)
            throws ReflectiveOperationException, TranslateException {
        BufferedImage buffered =
                new BufferedImage(2, 2, BufferedImage.class.getField(kind).getInt(null));
        for (int i = 0; i < 4; i++) {
            buffered.getRaster().setSample(i % 2, i / 2, 0, sample);
        }
        float[][] seen = new float[1][];
        Block block =
                gives(
                        in -> {
                            seen[0] = in.head().toFloatArray();
                            return new NDList(byColour(in));
                        });
        int paper = red == 100 ? 0 : red << 16 | green << 8 | blue;
        predict(
                block,
                ObjectDiscoveryTranslator.builder().setImageSize(1, 1).optPaper(paper).build(),
                Pixels.image(buffered));
        assertArrayEquals(new float[] {red / 255f, green / 255f, blue / 255f}, seen[0], 1e-6f);
    }

    /** An image of another library, which knows how to write itself and little else. */
    @Test
    void takesImagesOfOtherLibraries() throws TranslateException {
        Image inner = halves(4, 8);
        Image foreign =
                (Image)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Image.class},
                                (proxy, method, args) ->
                                        "getWrappedImage".equals(method.getName())
                                                ? "pixels of another kind"
                                                : method.invoke(inner, args));
        DiscoveredObjects found =
                predict(gives(in -> new NDList(byColour(in))), translator().build(), foreign);
        assertArrayEquals(new int[] {0, 0, 0, 0, 2, 2, 2, 2}, found.segmentation().getMask()[0]);
    }

    @Test
    void namesTheBackground() throws TranslateException {
        Block block = gives(in -> new NDList(byColour(in)));
        Image mostlyBlue = image(6, 6, i -> i < 6 ? 0xFF0000 : 0x0000FF);
        assertEquals(
                List.of("slot 0", "slot 1", "background"),
                predict(
                                block,
                                translator().optBackground(BackgroundSlot.largest()).build(),
                                mostlyBlue)
                        .segmentation()
                        .getClasses());
        assertEquals(
                List.of("slot 0", "background", "slot 2"),
                predict(
                                block,
                                translator().optBackground(BackgroundSlot.number(1)).build(),
                                mostlyBlue)
                        .segmentation()
                        .getClasses());
        TranslateException e =
                assertThrows(
                        TranslateException.class,
                        () ->
                                predict(
                                        block,
                                        translator()
                                                .optBackground(BackgroundSlot.number(3))
                                                .build(),
                                        mostlyBlue));
        assertTrue(e.getMessage().contains("number must be below 3, got 3"), e.getMessage());
    }

    @Test
    void namesOutputsThatHaveNone() throws TranslateException {
        Block block =
                gives(
                        in -> {
                            NDArray masks = byColour(in);
                            masks.setName(null);
                            return new NDList(in.head().sum(), masks);
                        });
        ObjectDiscoveryTranslator named = translator().optOutputNames("other", "masks").build();
        assertEquals(2, predict(block, named, halves(6, 6)).segmentation().getMask()[0][5]);
        assertThrows(
                TranslateException.class,
                () -> predict(block, translator().optOutputNames("masks").build(), halves(6, 6)));
    }

    @Test
    void readsAGridOfFeatures() throws TranslateException {
        // 4 x 9 features of an image of 8 x 18 pixels, and of any other grid that is asked for
        Block block =
                gives(
                        in -> {
                            float[] values = new float[2 * 36];
                            for (int i = 0; i < 36; i++) {
                                values[i] = i % 9 < 4 ? 1 : 0;
                                values[36 + i] = 1 - values[i];
                            }
                            return new NDList(
                                    named(
                                            "feature_attributions",
                                            in.getManager().create(values, new Shape(1, 2, 36))));
                        });
        DiscoveredObjects found =
                predict(
                        block,
                        ObjectDiscoveryTranslator.builder().setImageSize(8, 18).build(),
                        halves(4, 9));
        assertEquals("SlotMasks(2, 4, 9)", found.masks().toString());
        assertEquals(1, found.attention().size());
        assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1, 1, 1}, found.segmentation().getMask()[3]);
        assertEquals(
                "SlotMasks(2, 2, 18)",
                predict(block, translator().optFeatureGrid(2, 18).build(), halves(4, 9))
                        .masks()
                        .toString());
        TranslateException e =
                assertThrows(
                        TranslateException.class,
                        () ->
                                predict(
                                        block,
                                        translator().optFeatureGrid(5, 7).build(),
                                        halves(4, 9)));
        assertTrue(e.getMessage().contains("no grid of 5 x 7"), e.getMessage());
    }

    @Test
    void saysWhichOutputIsWrong() {
        Image image = halves(6, 6);
        assertRefusedWithin(
                "ObjectDiscoveryTranslator: the model must give an output named masks,"
                        + " feature_attributions or attentions, got [odd (1, 3, 6, 6)]",
                gives(in -> new NDList(named("odd", in.head().abs()))),
                image);
        assertRefusedWithin(
                "ObjectDiscoveryTranslator: masks must be (1, K, h, w), got (2, 3, 6, 6)",
                gives(in -> new NDList(named("masks", in.head().repeat(0, 2)))),
                image);
        assertRefusedWithin(
                "SlotMasks: masks must be finite, got NaN in slot 0 of image 0",
                gives(in -> new NDList(named("masks", in.head().sub(2).sqrt()))),
                image);
        assertRefusedWithin(
                "ObjectDiscoveryTranslator: slot_images must be (1, K, 3, h, w), got (1, 3, 6, 6)",
                gives(in -> new NDList(byColour(in), named("slot_images", in.head().abs()))),
                image);
    }

    @Test
    void predictorsInSeveralThreadsAgree() throws Exception {
        int threads = 4;
        List<Image> images = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            images.add(noise(5 + i, 20 - i, i));
        }
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        ObjectDiscoveryTranslator shared = translator().build();
        try (Model model = pixelSlots();
                Predictor<Image, DiscoveredObjects> alone = model.newPredictor(shared)) {
            List<DiscoveredObjects> expected = alone.batchPredict(images);
            List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int offset = t;
                done.add(
                        executor.submit(
                                () -> {
                                    try (var predictor = model.newPredictor(shared)) {
                                        for (int i = 0; i < 60; i++) {
                                            int at = (offset * 3 + i) % images.size();
                                            assertSameFound(
                                                    expected.get(at),
                                                    predictor.predict(images.get(at)));
                                        }
                                    }
                                    return null;
                                }));
            }
            for (Future<?> future : done) {
                future.get();
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void memoryStaysTheSame() throws TranslateException {
        Image image = noise(9, 9, 1);
        try (Model model = pixelSlots();
                Predictor<Image, DiscoveredObjects> predictor =
                        model.newPredictor(translator().build())) {
            predictor.predict(image);
            int before = model.getNDManager().getManagedArrays().size();
            for (int i = 0; i < 1000; i++) {
                predictor.predict(image);
            }
            assertEquals(before, model.getNDManager().getManagedArrays().size());
            // The managers below count, too: an array that stays would have been seen.
            try (NDManager below = model.getNDManager().newSubManager().newSubManager()) {
                below.zeros(new Shape(1));
                assertEquals(before + 1, model.getNDManager().getManagedArrays().size());
            }
        }
    }

    @Test
    void worksThroughCriteria(@TempDir Path folder) throws Exception {
        Image image = noise(7, 5, 3);
        DiscoveredObjects expected;
        try (Model model = pixelSlots();
                Predictor<Image, DiscoveredObjects> predictor =
                        model.newPredictor(translator().build())) {
            expected = predictor.predict(image);
            model.save(folder, "pixel-slots");
        }
        Criteria<Image, DiscoveredObjects> criteria =
                Criteria.builder()
                        .setTypes(Image.class, DiscoveredObjects.class)
                        .optEngine("PyTorch")
                        .optDevice(OnDevice.device())
                        .optModelPath(folder)
                        .optModelName("pixel-slots")
                        .optBlock(new PixelSlots())
                        .optTranslator(translator().build())
                        .build();
        try (ZooModel<Image, DiscoveredObjects> model = criteria.loadModel();
                Predictor<Image, DiscoveredObjects> predictor = model.newPredictor()) {
            assertSameFound(expected, predictor.predict(image));
        }
    }

    @Test
    void standsWhereDjlsSegmentationStands() throws TranslateException, IOException {
        try (Model model = model(gives(in -> new NDList(byColour(in))));
                Predictor<Image, CategoryMask> predictor =
                        model.newPredictor(translator().build().toCategoryMask())) {
            CategoryMask mask = predictor.predict(halves(4, 4));
            assertArrayEquals(new int[] {0, 0, 2, 2}, mask.getMask()[3]);
            Image drawn = mask.getMaskImage(halves(4, 4), 2);
            assertEquals(4, drawn.getWidth());
            assertEquals(2, predictor.batchPredict(List.of(halves(2, 2), halves(3, 3))).size());
        }
    }

    @Test
    void computesInTheModelsType() throws TranslateException {
        DataType[] seen = new DataType[1];
        Block block =
                gives(
                        in -> {
                            seen[0] = in.head().getDataType();
                            return new NDList(named("masks", in.head().softmax(1)));
                        });
        try (Model model = model(block)) {
            model.setDataType(DataType.FLOAT64);
            try (Predictor<Image, DiscoveredObjects> predictor =
                    model.newPredictor(translator().build())) {
                assertEquals(2, predictor.predict(halves(2, 2)).segmentation().getMask()[0][1]);
            }
        }
        assertEquals(DataType.FLOAT64, seen[0]);
    }

    @Test
    void refusesOptions() {
        assertRefused(
                "ObjectDiscoveryTranslator: imageSize must be at least 1 x 1, got 0 x 0",
                () -> ObjectDiscoveryTranslator.builder().build());
        assertRefused(
                "ObjectDiscoveryTranslator: normalization must be 3 finite means and 3 deviations"
                        + " above 0, got [0.0, 0.0, 0.0] and [1.0, 0.0, 1.0]",
                () -> translator().optNormalization(new float[3], new float[] {1, 0, 1}).build());
        assertRefused(
                "ObjectDiscoveryTranslator: paper must be 0 to 0xFFFFFF, got 0xFFFFFFFF",
                () -> translator().optPaper(-1).build());
        assertRefused(
                "ObjectDiscoveryTranslator: featureGrid must be at least 1 x 1, got 0 x 3",
                () -> translator().optFeatureGrid(0, 3));
        assertRefused(
                "BackgroundSlot: number must be at least 0, got -1",
                () -> BackgroundSlot.number(-1));
    }
}
