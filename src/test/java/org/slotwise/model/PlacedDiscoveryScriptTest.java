package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.internal.NoGraph;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** The equations that are ordered for speed are those of the parts, with all options. */
@ExtendWith(OnDevice.class)
class PlacedDiscoveryScriptTest {

    private static final int HEIGHT = 12;
    private static final int WIDTH = 9;
    private static final int BATCH = 2;

    /** Enough pictures that they are computed by parts. */
    private static final int MANY = 700;

    private static final ConditioningConfiguration GRID =
            new ConditioningConfiguration.Grid(
                    List.of(0.3, 0.7), List.of(0.25, 0.75), 0); // 4 slots

    private static final ConditioningConfiguration COLOURS =
            new ConditioningConfiguration.Colours(3);

    private static ObjectDiscovery model(
            ConditioningConfiguration start,
            int frequencies,
            double eps,
            @Nullable Integer hidden,
            ObjectDiscoveryConfiguration.Colours colours) {
        ObjectDiscoveryConfiguration c = Presets.named("tetrominoes").configuration();
        return new ObjectDiscovery(
                new ObjectDiscoveryConfiguration(
                        HEIGHT,
                        WIDTH,
                        c.fit(),
                        colours,
                        4,
                        10,
                        new EncoderConfiguration.ContentAndPlace(3, 6),
                        start,
                        new GroupingConfiguration.InvariantSlotAttention(
                                3, 3, 7, frequencies, eps, hidden, true),
                        new DecoderConfiguration.ShapeAndColour(5, frequencies, 1)));
    }

    private static void assertSame(NDManager manager, ObjectDiscovery model) throws IOException {
        model.setInitializer(new NormalInitializer(0.5f), parameter -> true);
        model.initialize(manager, DataType.FLOAT64, new Shape(1, 3, HEIGHT, WIDTH));
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT64, MANY, 3, HEIGHT, WIDTH);
        DiscoveryOfFewPixels call = call(model);
        NDArray few = images.get("0:{}", BATCH);
        assertTrue(call.suits(few), "few are by one call");
        assertTrue(!call.suits(images), "many are by parts");
        compare(discover(manager, model, images), discover(manager, model, few), 1e-11);
        assertLoopedSame(manager, model, few, 1e-4);
    }

    /** In float32 the iterations of few pictures are loops, and what is around them two calls. */
    private static void assertLoopedSame(
            NDManager manager, ObjectDiscovery model, NDArray few, double tolerance)
            throws IOException {
        NDList exact = discover(manager, model, few);
        try (ObjectDiscovery narrow = new ObjectDiscovery(model.madeFrom())) {
            narrow.initialize(manager, DataType.FLOAT32, new Shape(1, 3, HEIGHT, WIDTH));
            for (int i = 0; i < narrow.getParameters().size(); i++) {
                model.getParameters()
                        .valueAt(i)
                        .getArray()
                        .toType(DataType.FLOAT32, true)
                        .copyTo(narrow.getParameters().valueAt(i).getArray());
            }
            if (!manager.getDevice().isGpu()) {
                NDArray images = few.toType(DataType.FLOAT32, true);
                DiscoveryOfFewPixels call = call(narrow);
                assertTrue(NoGraph.during(() -> call.isLooped(images)));
                assertTrue(!NoGraph.during(() -> call.isLooped(few)));
            }
            NDList looped = discover(manager, narrow, few.toType(DataType.FLOAT32, true));
            assertEquals(exact.size(), looped.size());
            for (int i = 0; i < exact.size(); i++) {
                String name = exact.get(i).getName();
                assertEquals(name, looped.get(i).getName());
                NDArray found = looped.get(i);
                Tensors.assertClose(
                        name,
                        exact.get(i).toType(DataType.FLOAT64, true),
                        found.toType(DataType.FLOAT64, true),
                        tolerance);
            }
        }
    }

    private static DiscoveryOfFewPixels call(ObjectDiscovery model) throws IOException {
        ObjectDiscoveryConfiguration c = model.madeFrom();
        return Objects.requireNonNull(DiscoveryOfFewPixels.of(DiscoveryParts.of(c, null), c));
    }

    private static NDList discover(NDManager manager, ObjectDiscovery model, NDArray images) {
        return model.discover(new ParameterStore(manager, false), images, false).toNDList();
    }

    private static void compare(NDList parts, NDList one, double tolerance) {
        assertEquals(parts.size(), one.size());
        for (int i = 0; i < parts.size(); i++) {
            String name = parts.get(i).getName();
            assertEquals(name, one.get(i).getName());
            NDArray expected = parts.get(i).get("0:{}", one.get(i).getShape().get(0));
            Tensors.assertClose(name, expected, one.get(i), tolerance);
        }
    }

    @Test
    void slotsFromAGrid(NDManager manager) throws IOException {
        try (ObjectDiscovery model =
                model(GRID, 2, 1e-8, 8, ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1)) {
            assertSame(manager, model);
        }
    }

    @Test
    void slotsFromColours(NDManager manager) throws IOException {
        try (ObjectDiscovery model =
                model(COLOURS, 3, 1e-8, 8, ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1)) {
            assertSame(manager, model);
        }
    }

    @Test
    void scaledColoursNoPerceptronAndNoFrequencies(NDManager manager) throws IOException {
        try (ObjectDiscovery model =
                model(GRID, 0, 1e-40, null, new ObjectDiscoveryConfiguration.Colours(0.5, 0.25))) {
            assertSame(manager, model);
        }
    }

    /** Trained weights, and pictures of which slots find something. */
    @Test
    void shippedModelsInFloat64(NDManager manager) throws IOException {
        assertShipped(manager, "tetrominoes", Tetrominoes.builder().setSize(60).build());
        assertShipped(manager, "multi-dsprites", MultiDSprites.builder().setSize(12).build());
    }

    private static void assertShipped(NDManager manager, String name, Scenes scenes)
            throws IOException {
        ObjectDiscoveryConfiguration c = Presets.named(name).configuration();
        try (ObjectDiscovery model = new ObjectDiscovery(c)) {
            Shape one = new Shape(1, 3, c.imageHeight(), c.imageWidth());
            model.initialize(manager, DataType.FLOAT64, one);
            ShippedWeights.loadInto(name, model);
            NDArray images =
                    SceneImages.of(
                            manager,
                            scenes.open().map(Scene::image).toList(),
                            c.imageHeight(),
                            c.imageWidth(),
                            DataType.FLOAT64);
            assertTrue(!call(model).suits(images), "all are by parts");
            NDList parts = discover(manager, model, images);
            compare(parts, discover(manager, model, images.get("0:4")), 1e-11);
            compare(parts, discover(manager, model, images.get("0:1")), 1e-11);
        }
    }
}
