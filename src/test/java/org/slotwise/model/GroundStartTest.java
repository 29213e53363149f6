package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.TexturedScenes;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.model.ConditioningConfiguration.GroundAndClusters;
import org.slotwise.testing.OnDevice;

/** The ground of a picture, and what is not of it: {@link GroundStart}, {@link BorderContrast}. */
@ExtendWith(OnDevice.class)
class GroundStartTest {

    private static final int SIDE = 16;

    private static boolean isObject(int y, int x) {
        boolean left = x >= 2 && x < 6;
        boolean right = x >= 10 && x < 14;
        return y >= 5 && y < 10 && (left || right);
    }

    /** A ground of two colours, on it two squares of a third. */
    private static NDArray picture(NDManager manager) {
        float[] image = new float[3 * SIDE * SIDE];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                boolean object = isObject(y, x);
                int channel = object ? 2 : x % 4 < 2 ? 0 : 1;
                image[channel * SIDE * SIDE + y * SIDE + x] = 1;
            }
        }
        return manager.create(image, new Shape(1, 3, SIDE, SIDE));
    }

    @Test
    void groundIsWhatTheBorderHasWhateverItsColours(NDManager manager) {
        BorderContrast.Seen seen = new BorderContrast(1, 3, 0.1).of(picture(manager));
        double[] other = doubles(seen.other());
        double[] colours = doubles(seen.colours());
        double[] places = doubles(seen.places());
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                boolean object = isObject(y, x);
                int at = y * SIDE + x;
                // A corner has 4 of the 9 around it, which is less than half: it is cut off.
                boolean corner = (y == 5 || y == 9) && (x == 2 || x == 5 || x == 10 || x == 13);
                assertEquals(object && !corner ? 1 : 0, other[at]);
                if (other[at] == 1) {
                    // No ground is mixed in.
                    assertEquals(0, colours[3 * at], 1e-5);
                    assertEquals(1, colours[3 * at + 2], 1e-5);
                }
                assertEquals(y / (SIDE - 1.0), places[2 * at], 1e-5);
            }
        }
        assertEquals(
                new Shape(1, 64),
                new BorderContrast(2, 3, 0.1).of(picture(manager)).other().getShape());
    }

    /** A pixel of a colour that nothing else has, in a ground of noise, is no object. */
    @Test
    void onePixelIsNoObject(NDManager manager) {
        float[] image = new float[3 * SIDE * SIDE];
        image[8 * SIDE + 8] = 1;
        NDArray one = manager.create(image, new Shape(1, 3, SIDE, SIDE));
        assertEquals(0, new BorderContrast(1, 3, 0.1).of(one).other().sum().getFloat());
    }

    /** Whatever size and type a picture has; of one colour it is all ground. */
    @Test
    void aPictureOfOneColourIsGround(NDManager manager) {
        for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT64)) {
            for (long[] size : new long[][] {{1, 1}, {1, 7}, {2, 2}, {5, 3}}) {
                NDArray one = manager.ones(new Shape(2, 3, size[0], size[1]), type);
                BorderContrast.Seen seen = new BorderContrast(1, 5, 0.1).of(one);
                assertEquals(new Shape(2, size[0] * size[1]), seen.other().getShape());
                assertEquals(0, seen.other().toType(DataType.FLOAT32, true).sum().getFloat());
                assertEquals(type, seen.colours().getDataType());
                assertTrue(Double.isFinite(doubles(seen.colours())[0]));
            }
            NDArray begun = manager.ones(new Shape(1, 3, 5, 3), type);
            Shape patches = new BorderContrast(2, 3, 0.1).of(begun).places().getShape();
            assertEquals(new Shape(6, 2), patches);
        }
    }

    @Test
    void thereAreAsFewClustersAsLieCloseTogether() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            float[] vectors = {0, 0, 0, 0.2f, 5, 5, 5, 5.2f, 9, 0, 9, 0.2f};
            KMeansOptions options = KMeansOptions.builder().optNInit(5).optSeed(0).build();
            // Each pair is 0.1 from its centre; of two clusters one has two pairs.
            long[] three = new FewestClusters(6, 0.11, options).of(vectors, 2, manager);
            assertEquals(3, LongStream.of(three).distinct().count());
            for (int i = 0; i < 6; i += 2) {
                assertEquals(three[i], three[i + 1]);
            }
            assertEquals(4, distinct(new FewestClusters(6, 0.09, options).of(vectors, 2, manager)));
            assertEquals(6, distinct(new FewestClusters(6, 0.05, options).of(vectors, 2, manager)));
            assertEquals(2, distinct(new FewestClusters(2, 0.01, options).of(vectors, 2, manager)));
            assertEquals(1, distinct(new FewestClusters(6, 10, options).of(vectors, 2, manager)));
            assertEquals(6, distinct(new FewestClusters(9, 0, options).of(vectors, 2, manager)));
            assertEquals(0, new FewestClusters(3, 1, options).of(new float[0], 2, manager).length);
        }
    }

    private static long distinct(long[] labels) {
        return LongStream.of(labels).distinct().count();
    }

    @Test
    void theFirstSlotIsTheGroundAndObjectsAlikeAreTwo(NDManager manager) {
        ObjectDiscoveryConfiguration c =
                Presets.named("pictures-textured")
                        .withSlots(3)
                        .withImageSize(SIDE, SIDE)
                        .configuration();
        try (ObjectDiscovery block = new ObjectDiscovery(c)) {
            block.initialize(manager, DataType.FLOAT32, picture(manager).getShape());
            NDArray masks =
                    block.discover(new ParameterStore(manager, false), picture(manager), false)
                            .masks();
            assertEquals(new Shape(1, 3, SIDE, SIDE), masks.getShape());
        }
        int n = SIDE * SIDE;
        double[] members = doubles(guess(manager, c, 0.1, picture(manager)).attributions());
        int left = 7 * SIDE + 3;
        int right = 7 * SIDE + 11;
        assertEquals(1, members[0]);
        assertEquals(1, members[n - 1]);
        assertEquals(0, members[left]);
        int slotOfLeft = members[n + left] == 1 ? 1 : 2;
        assertEquals(1, members[slotOfLeft * n + left]);
        assertEquals(1, members[(3 - slotOfLeft) * n + right], "the other one's");
    }

    /** What is guessed of c with a spread. */
    private static PerceptualGroupingOutput guess(
            NDManager manager, ObjectDiscoveryConfiguration c, double spread, NDArray images) {
        GroundStart start =
                new GroundStart(
                        new GroundAndClusters(1, 1, 1, 0.1, spread, 2, 5),
                        Sizes.of(c, null).withFeatures(SIDE * SIDE, 64, 0));
        long batch = images.getShape().get(0);
        Shape shape = new Shape(batch, SIDE * SIDE, 64);
        start.initialize(manager, DataType.FLOAT32, shape);
        return start.begin(
                        new ParameterStore(manager, false),
                        images,
                        new FeatureExtractorOutput(manager.ones(shape)),
                        false)
                .guess();
    }

    /** A picture that is all ground leaves all others empty, and another one beside it as it is. */
    @Test
    void slotsWithoutAClusterAreEmptyAndStaySo(NDManager manager) {
        ObjectDiscoveryConfiguration c =
                Presets.named("pictures-textured")
                        .withSlots(5)
                        .withImageSize(SIDE, SIDE)
                        .configuration();
        NDArray plain = manager.ones(new Shape(1, 3, SIDE, SIDE));
        NDArray both = plain.concat(picture(manager), 0);
        PerceptualGroupingOutput guess = guess(manager, c, 0.2, both);
        assertArrayEquals(
                new boolean[] {
                    false, true, true, true, true, false, false, false, true, true,
                },
                guess.isEmpty().toBooleanArray());
        assertClose(
                "all",
                guess.attributions().sum(new int[] {1}),
                manager.ones(new Shape(2, SIDE * SIDE)),
                0);
        assertClose(
                "alone",
                guess(manager, c, 0.2, picture(manager)).attributions().get(0),
                guess.attributions().get(1),
                0);
        try (ObjectDiscovery block = new ObjectDiscovery(c)) {
            block.initialize(manager, DataType.FLOAT32, both.getShape());
            ObjectDiscoveryOutput out =
                    block.discover(new ParameterStore(manager, false), both, false);
            NDArray had = out.slots().attributions().sum(new int[] {2});
            double[] counts = doubles(had);
            assertEquals(SIDE * SIDE, counts[0], 1e-3);
            assertEquals(0, counts[1] + counts[4] + counts[8] + counts[9]);
            assertTrue(doubles(out.reconstruction())[0] == doubles(out.reconstruction())[0], "NaN");
        }
    }

    /** A picture with a NaN inside an object leaves the others as they are. */
    @Test
    void picturesAreApart(NDManager manager) {
        ObjectDiscoveryConfiguration c =
                Presets.named("pictures-textured")
                        .withSlots(4)
                        .withImageSize(SIDE, SIDE)
                        .configuration();
        NDArray spoilt = picture(manager);
        spoilt.set(new NDIndex("0, 1, 7, 3"), Float.NaN);
        NDArray three = NDArrays.concat(new NDList(picture(manager), spoilt, picture(manager)), 0);
        NDArray alone = guess(manager, c, 0.2, picture(manager)).attributions();
        NDArray members = guess(manager, c, 0.2, three).attributions();
        assertClose("first", alone.get(0), members.get(0), 0);
        assertClose("last", alone.get(0), members.get(2), 0);
        try (ObjectDiscovery block = new ObjectDiscovery(c)) {
            block.initialize(manager, DataType.FLOAT32, three.getShape());
            ParameterStore store = new ParameterStore(manager, false);
            NDArray slots = block.discover(store, three, false).slots().objects();
            NDArray expected = block.discover(store, picture(manager), false).slots().objects();
            assertClose("slots", expected.get(0), slots.get(2), 1e-5);
            assertTrue(slots.get(1).isNaN().any().getBoolean());
        }
    }

    /** With one slot all is the ground's, of whatever picture. */
    @Test
    void oneSlotHasAll(NDManager manager) {
        ObjectDiscoveryConfiguration c =
                Presets.named("pictures-textured")
                        .withSlots(1)
                        .withImageSize(SIDE, SIDE)
                        .configuration();
        NDArray both = picture(manager).concat(manager.ones(new Shape(1, 3, SIDE, SIDE)), 0);
        NDArray members = guess(manager, c, 0.2, both).attributions();
        assertClose("all", manager.ones(new Shape(2, 1, SIDE * SIDE)), members, 0);
    }

    /** It learns, and comes back from a folder. */
    @Test
    void aTexturedPresetIsTrainedAndSaved(@TempDir Path folder) throws IOException {
        Preset preset = Presets.named("pictures-textured").withSlots(4).withImageSize(32, 32);
        Scenes scenes = TexturedScenes.builder().setSize(12).optSide(32).build();
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(preset.configuration(), 0)) {
            model.fit(scenes, preset.recipe().withSteps(3).withBatchSize(2));
            SegmentationScores before = model.evaluate(scenes);
            model.save(folder.resolve("m"));
            try (ObjectDiscoveryModel again = ObjectDiscoveryModel.load(folder.resolve("m"))) {
                assertEquals(before, again.evaluate(scenes));
            }
            assertTrue(before.ari() > -1);
        }
    }

    @Test
    void refusesWhatCannotBe() {
        String who = "ConditioningConfiguration.GroundAndClusters: ";
        assertRefused(
                who + "around must be odd, and at least 1, got 2",
                () -> new GroundAndClusters(1, 2, 1, 0.1, 0.1, 1, 1));
        assertRefused(
                who + "tolerance must be above 0 and finite, got 0.0",
                () -> new GroundAndClusters(1, 1, 1, 0, 0.1, 1, 1));
        assertRefused(
                who + "spread must be at least 0 and finite, got -0.1",
                () -> new GroundAndClusters(1, 1, 1, 0.1, -0.1, 1, 1));
        assertRefused(
                "TrainingRecipe: smoothing must be odd, and at least 1, got 2",
                () -> {
                    TrainingRecipe r = Presets.named("pictures").recipe();
                    new TrainingRecipe(1, 1, r.learningRate(), 1, Augmentation.NONE, 0, 0, 2, 0, 0);
                });
    }
}
