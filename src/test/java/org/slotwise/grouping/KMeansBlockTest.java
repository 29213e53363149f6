package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.testing.OnDevice;

/** {@link KMeansGrouping} as a block: lists, shapes, files, and what it refuses. */
@ExtendWith(OnDevice.class)
class KMeansBlockTest {

    private static KMeansGrouping block(int slots) {
        return KMeansGrouping.builder()
                .setSlots(slots)
                .optClustering(KMeansOptions.builder().optSeed(1).build())
                .build();
    }

    private static void assertRefused(String message, Executable call) {
        String got = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertEquals(message, got);
    }

    @Test
    void takesAndGivesLists(NDManager manager) {
        NDArray features = normal(manager, 1, 2, 20, 5);
        NDArray centers = features.get(":, 3:6").duplicate();
        KMeansGrouping block = block(3);
        ParameterStore store = new ParameterStore(manager, false);
        PerceptualGroupingOutput expected =
                block.group(store, new FeatureExtractorOutput(features), centers, false);

        NDList unnamed = block.forward(store, new NDList(features, centers), false);
        assertEquals(2, unnamed.size());
        assertSame("objects", expected.objects(), unnamed.get("objects"));
        assertSame(
                "attributions",
                expected.featureAttributions(),
                unnamed.get("feature_attributions"));

        centers.setName("conditioning");
        NDArray positions = manager.zeros(new Shape(20, 2));
        NDList named = new FeatureExtractorOutput(features, positions).toNDList();
        named.add(0, centers);
        NDList out = block.forward(store, named, false);
        assertSame("objects", expected.objects(), out.get("objects"));

        NDList drawn = block.forward(store, new NDList(features), true);
        assertSame(
                "drawn",
                block.group(store, new FeatureExtractorOutput(features), null, false).objects(),
                drawn.get("objects"));
    }

    @Test
    void knowsItsOutputShapes() {
        KMeansGrouping block = block(3);
        Shape[] expected = {new Shape(2, 3, 5), new Shape(2, 3, 20)};
        assertArrayEquals(expected, block.getOutputShapes(new Shape[] {new Shape(2, 20, 5)}));
        assertArrayEquals(
                expected,
                block.getOutputShapes(new Shape[] {new Shape(2, 20, 5), new Shape(2, 3, 5)}));
        assertArrayEquals(
                new Shape[] {new Shape(-1, 3, 5), new Shape(-1, 3, -1)},
                block.getOutputShapes(new Shape[] {new Shape(-1, -1, 5)}));
        // Positions decide nothing; what is not of as many features are no positions.
        Shape positions = new Shape(20, 2);
        Shape start = new Shape(2, 3, 5);
        Shape features = new Shape(2, 20, 5);
        for (Shape[] inputs : new Shape[][] {{features, positions}, {features, positions, start}}) {
            assertArrayEquals(expected, block.getOutputShapes(inputs));
        }
        assertRefused(
                "KMeansGrouping: conditioning must be (2, 3, 5), got (2, 4, 5)",
                () -> block.getOutputShapes(new Shape[] {features, positions, new Shape(2, 4, 5)}));
        assertRefused(
                "KMeansGrouping: conditioning must be (2, 3, 5), got (19, 2)",
                () -> block.getOutputShapes(new Shape[] {features, new Shape(19, 2)}));
        assertRefused(
                "KMeansGrouping: conditioning must be (2, 3, 5), got (20, 3, 5)",
                () -> block.getOutputShapes(new Shape[] {features, new Shape(20, 3, 5)}));
        assertRefused(
                "KMeansGrouping: features must be (B, N, F), got (20, 5)",
                () -> block.getOutputShapes(new Shape[] {new Shape(20, 5), positions}));
        assertRefused(
                "KMeansGrouping: conditioning must be (2, 3, 5), got (2, 4, 5)",
                () -> block.getOutputShapes(new Shape[] {new Shape(2, 20, 5), new Shape(2, 4, 5)}));
        assertRefused(
                "KMeansGrouping: features must be (B, N, F), got (20, 5)",
                () -> block.getOutputShapes(new Shape[] {new Shape(20, 5)}));
        assertRefused(
                "KMeansGrouping: features must be at least as many as slots, N >= 3, got N = 2",
                () -> block.getOutputShapes(new Shape[] {new Shape(2, 2, 5)}));
    }

    @Test
    void refusesOtherShapesAndTypes(NDManager manager) {
        KMeansGrouping block = block(3);
        NDArray features = normal(manager, 1, 2, 20, 5);
        assertRefused(
                "KMeansGrouping: features must be at least as many as slots, N >= 3, got N = 2",
                () -> block.cluster(features.get(":, 0:2"), null));
        assertRefused(
                "KMeansGrouping: features must be (B, N, F), got those of videos (2, 4, 5, 5); group"
                        + " them frame by frame, see FeatureExtractorOutput.frames()",
                () ->
                        block.group(
                                null,
                                new FeatureExtractorOutput(features.reshape(2, 4, 5, 5)),
                                null,
                                false));
        assertRefused(
                "KMeansGrouping: features must be (B, N, F), each size at least 1, got (0, 20, 5)",
                () -> block.cluster(manager.zeros(new Shape(0, 20, 5)), null));
        assertRefused(
                "KMeansGrouping: features must be float32, float64 or float16, got int32",
                () -> block.cluster(manager.zeros(new Shape(2, 20, 5), DataType.INT32), null));
        assertRefused(
                "KMeansGrouping: conditioning must be (2, 3, 5), got (2, 4, 5)",
                () -> block.cluster(features, features.get(":, 0:4")));
        assertRefused(
                "KMeansGrouping: conditioning must be float32 as features, got float64",
                () -> block.cluster(features, manager.zeros(new Shape(2, 3, 5), DataType.FLOAT64)));
        String got =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        block.forward(
                                                new ParameterStore(manager, false),
                                                new NDList(features, features, features),
                                                false))
                        .getMessage();
        assertTrue(got.startsWith("KMeansGrouping: expected inputs [features, conditioning]"), got);
    }

    @Test
    void namesTheImageThatIsNotFinite(NDManager manager) {
        KMeansGrouping block = block(3);
        NDArray sound = normal(manager, 1, 4, 20, 5);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -1f / 0f}) {
            NDArray features = sound.duplicate();
            features.set(new NDIndex("2, 7, 1"), bad);
            assertRefused(
                    "KMeansGrouping: features of image 2 must be finite, and so must their squares"
                            + " in float64",
                    () -> block.cluster(features, null));
            NDArray half = features.toType(DataType.FLOAT16, true);
            assertRefused(
                    "KMeansGrouping: features of image 2 must be finite, and so must their squares"
                            + " in float64",
                    () -> block.cluster(half, null));
            assertRefused(
                    "KMeansGrouping: conditioning of image 2 must be finite, and so must their"
                            + " squares in float64",
                    () -> block.cluster(sound, features.get(":, 5:8")));
        }
        NDArray large = sound.toType(DataType.FLOAT64, true);
        large.set(new NDIndex("3, 0, 0"), 1e200);
        assertRefused(
                "KMeansGrouping: features of image 3 must be finite, and so must their squares in"
                        + " float64",
                () -> block.cluster(large, null));
    }

    @Test
    void refusesOptionsOutOfRange() {
        assertRefused(
                "KMeansGrouping: slots must be at least 1, got 0",
                () -> KMeansGrouping.builder().build());
        assertRefused(
                "KMeansOptions: nInit must be at least 1, got 0",
                () -> KMeansOptions.builder().optNInit(0).build());
        assertRefused(
                "KMeansOptions: maxIter must be at least 1, got -1",
                () -> KMeansOptions.builder().optMaxIter(-1).build());
        for (double tol : new double[] {-1e-9, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    "KMeansOptions: tol must be at least 0 and finite, got " + tol,
                    () -> KMeansOptions.builder().optTol(tol).build());
        }
    }

    @Test
    void defaultsAreTheDocumentedOnes() {
        assertEquals(
                new KMeansOptions(KMeansOptions.Init.K_MEANS_PLUS_PLUS, 10, 300, 1e-4, 0, 1, null),
                KMeansOptions.builder().build());
    }

    @Test
    void isSavedAndLoaded(NDManager manager) throws IOException, MalformedModelException {
        KMeansGrouping saved = block(3);
        saved.initialize(manager, DataType.FLOAT32, new Shape(2, 20, 5));
        assertTrue(saved.getParameters().isEmpty());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        saved.saveParameters(new DataOutputStream(bytes));

        KMeansGrouping same = block(3);
        load(manager, same, bytes);
        NDArray features = normal(manager, 1, 2, 20, 5);
        assertSame(
                "objects",
                saved.cluster(features, null).centers(),
                same.cluster(features, null).centers());
        String message =
                assertThrows(MalformedModelException.class, () -> load(manager, block(4), bytes))
                        .getMessage();
        assertEquals(
                "KMeansGrouping: the block is KMeansGrouping(slots=4, l2Normalization=true), the"
                        + " parameters are of KMeansGrouping(slots=3, l2Normalization=true)",
                message);
    }

    private static void load(NDManager manager, KMeansGrouping block, ByteArrayOutputStream bytes)
            throws IOException, MalformedModelException {
        block.loadParameters(
                manager, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    }
}
