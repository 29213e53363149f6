package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** A small picture by one call is what it is among many, which are computed part by part. */
@ExtendWith(OnDevice.class)
class DiscoveryOfFewPixelsTest {

    private static final int SIDE = 35;
    private static final int MANY = 4;

    private static ObjectDiscovery model(NDManager manager, DataType type) {
        ObjectDiscoveryConfiguration c =
                Presets.named("paper-tetrominoes").configuration().withSlots(3);
        ObjectDiscovery model =
                new ObjectDiscovery(
                        new ObjectDiscoveryConfiguration(
                                c.imageHeight(),
                                c.imageWidth(),
                                c.fit(),
                                c.colours(),
                                c.slots(),
                                c.slotDim(),
                                c.encoder(),
                                new ConditioningConfiguration.Random(true, true, false, 5L),
                                c.grouping(),
                                c.decoder()));
        model.initialize(manager, type, new Shape(1, 3, SIDE, SIDE));
        return model;
    }

    private static NDArray images(NDManager manager, DataType type) {
        return Tensors.uniform(manager, 1, type, MANY, 3, SIDE, SIDE);
    }

    private static NDList discover(NDManager manager, ObjectDiscovery model, NDArray images) {
        ParameterStore store = new ParameterStore(manager, false);
        return model.discover(store, images, false).toNDList();
    }

    private static void assertSame(NDManager manager, ObjectDiscovery model, NDArray images) {
        assertSame(manager, model, images, images.getDataType() == DataType.FLOAT64 ? 1e-11 : 2e-5);
    }

    private static void assertSame(
            NDManager manager, ObjectDiscovery model, NDArray images, double tolerance) {
        DiscoveryOfFewPixels call = call(model.madeFrom());
        assertTrue(call.suits(images.get("0:1")), "one is by one call");
        assertFalse(call.suits(images), "many are by parts");
        NDList many = discover(manager, model, images);
        for (int i = 0; i < images.getShape().get(0); i++) {
            NDList one = discover(manager, model, images.get("{}:{}", i, i + 1));
            assertEquals(many.size(), one.size());
            for (int j = 0; j < many.size(); j++) {
                String name = many.get(j).getName();
                assertEquals(name, one.get(j).getName());
                NDArray expected = many.get(j).get("{}:{}", i, i + 1);
                Tensors.assertClose(name, expected, one.get(j), tolerance);
            }
        }
    }

    private static DiscoveryOfFewPixels call(ObjectDiscoveryConfiguration c) {
        try {
            return Objects.requireNonNull(DiscoveryOfFewPixels.of(DiscoveryParts.of(c, null), c));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The trained models, whose slots have places, and start from a grid or from colours. */
    @Test
    void shippedModelsFindTheSame(NDManager manager) {
        Map<String, Scenes> scenes =
                Map.of(
                        "tetrominoes", Tetrominoes.builder().setSize(54).build(),
                        "multi-dsprites", MultiDSprites.builder().setSize(11).build());
        scenes.forEach(
                (name, some) -> {
                    ObjectDiscovery model =
                            new ObjectDiscovery(Presets.named(name).configuration());
                    try (model) {
                        model.initialize(
                                manager,
                                DataType.FLOAT32,
                                new Shape(
                                        1,
                                        3,
                                        model.madeFrom().imageHeight(),
                                        model.madeFrom().imageWidth()));
                        ShippedWeights.loadInto(name, model);
                        NDArray images =
                                SceneImages.of(
                                        manager,
                                        some.open().map(Scene::image).toList(),
                                        model.madeFrom().imageHeight(),
                                        model.madeFrom().imageWidth(),
                                        DataType.FLOAT32);
                        assertSame(manager, model, images, 3e-4);
                    }
                });
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT32", "FLOAT64"})
    void isTheSamePicture(DataType type, NDManager manager) {
        try (ObjectDiscovery model = model(manager, type)) {
            assertSame(manager, model, images(manager, type));
        }
    }

    @Test
    void weightsAreThoseOfTheMoment(NDManager manager) {
        try (ObjectDiscovery model = model(manager, DataType.FLOAT32)) {
            NDArray images = images(manager, DataType.FLOAT32);
            NDArray before = discover(manager, model, images.get("0:1")).head().duplicate();
            for (Parameter parameter : model.getParameters().values()) {
                parameter.getArray().muli(1.5);
            }
            assertSame(manager, model, images);
            NDArray after = discover(manager, model, images.get("0:1")).head();
            assertTrue(before.sub(after).abs().max().getFloat() > 1e-3, "nothing changed");
        }
    }

    @Test
    void threadsAndGarbageChangeNothing(NDManager manager) throws Exception {
        try (ObjectDiscovery model = model(manager, DataType.FLOAT32)) {
            NDArray image = images(manager, DataType.FLOAT32).get("0:1");
            float[] expected = discover(manager, model, image).head().toFloatArray();
            ExecutorService threads = Executors.newFixedThreadPool(3);
            try {
                List<Future<float[]>> results =
                        IntStream.range(0, 12)
                                .mapToObj(
                                        i ->
                                                threads.submit(
                                                        () -> {
                                                            try (NDManager own =
                                                                    manager.newSubManager()) {
                                                                NDArray x = image.duplicate();
                                                                x.attach(own);
                                                                return discover(own, model, x)
                                                                        .head()
                                                                        .toFloatArray();
                                                            }
                                                        }))
                                .toList();
                Garbage.collect();
                for (Future<float[]> result : results) {
                    assertArrayEquals(expected, result.get(), 1e-6f);
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void thePapersMakeIsKnown() throws IOException {
        ObjectDiscoveryConfiguration c = Presets.named("paper-tetrominoes").configuration();
        assertNotNull(DiscoveryOfFewPixels.of(DiscoveryParts.of(c, null), c));
    }

    @Test
    void otherMakesAreComputedByParts() throws IOException {
        ObjectDiscoveryConfiguration c = Presets.named("pictures").configuration();
        assertNull(DiscoveryOfFewPixels.of(DiscoveryParts.of(c, null), c));
    }
}
