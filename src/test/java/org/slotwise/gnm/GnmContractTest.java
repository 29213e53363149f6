package org.slotwise.gnm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.gnm.GnmConfiguration.Latents;
import org.slotwise.gnm.GnmConfiguration.Picture;
import org.slotwise.gnm.GnmNetworks.Scene;
import org.slotwise.gnm.GnmNetworks.Stack;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** What every block promises; sizes; explanations that cost what is there; errors. */
@ExtendWith(OnDevice.class)
class GnmContractTest {

    private static final GnmSetting SETTING = GnmSetting.of(0.7);

    /** Pictures of 8 x 8, a grid of 2 x 2. */
    static GnmConfiguration tiny(Picture picture, Latents latents) {
        int out = picture.channels() + (picture.overlap() && picture.channels() > 1 ? 1 : 0);
        Stack encoder = Stack.of(List.of(4, 6), List.of(4, 4), List.of(2, 2));
        Stack cells = Stack.of(List.of(5), List.of(1), List.of(1));
        Stack glimpse = Stack.of(List.of(4, out), List.of(3, 3), List.of(2, 2));
        Stack background = Stack.of(List.of(4, picture.channels()), List.of(1, 3), List.of(4, 2));
        Scene scene =
                new Scene(
                        1,
                        4,
                        5,
                        List.of(7),
                        List.of(6),
                        List.of(5),
                        2,
                        Stack.of(List.of(6), List.of(3), List.of(1)));
        return new GnmConfiguration(
                picture,
                2,
                latents,
                new GnmNetworks(encoder, cells, glimpse, background, scene, List.of(5), List.of(4)),
                0.3);
    }

    static GnmConfiguration tiny() {
        return tiny(new Picture(8, 3, true, true), new Latents(3, 2, 4, 2));
    }

    private static NDArray named(String name, NDArray array) {
        array.setName(GnmNoise.PREFIX + name);
        return array;
    }

    private static NDList inputs(NDManager m, DataType type) {
        return new NDList(
                Tensors.uniform(m, 1, type, 2, 3, 8, 8),
                named("background", Tensors.normal(m, 2, type, 2, 2)),
                named("scene", Tensors.normal(m, 3, type, 2, 2, 3)),
                named("presence", Tensors.uniform(m, 4, type, 2, 1, 2, 2)),
                named("where", Tensors.normal(m, 5, type, 2, 4, 2, 2)),
                named("depth", Tensors.normal(m, 6, type, 2, 1, 2, 2)),
                named("what", Tensors.normal(m, 7, type, 2, 4, 2, 2)));
    }

    /**
     * All but differences, since what it gives in training and otherwise are two things (gradients:
     * {@link GnmReferenceTest}), and float16, in which the small numbers of the loss are none.
     */
    @Test
    void whole(NDManager manager) {
        BlockContract contract = new BlockContract(() -> new Gnm(tiny()), GnmContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
        contract.isTheSameThroughAStateDict(manager);
        assertRefused(
                "Gnm: parameters must be float32 or float64, got float16",
                () -> new Gnm(tiny()).initialize(manager, DataType.FLOAT16, new Shape(1, 3, 8, 8)));
    }

    private static Gnm initialised(NDManager manager, GnmConfiguration sizes) {
        manager.getEngine().setRandomSeed(5);
        Gnm gnm = new Gnm(sizes);
        int size = sizes.picture().size();
        gnm.initialize(
                manager, DataType.FLOAT32, new Shape(1, sizes.picture().channels(), size, size));
        return gnm;
    }

    /** Sizes of latents and pictures that the original fails at in a matrix product. */
    @Test
    void sizesFollowFromEachOther(NDManager manager) {
        ParameterStore store = new ParameterStore(manager, false);
        for (GnmConfiguration sizes :
                List.of(
                        tiny(new Picture(8, 3, true, true), new Latents(16, 1, 4, 6)),
                        tiny(new Picture(8, 3, false, true), new Latents(3, 2, 4, 6)),
                        tiny(new Picture(8, 1, true, false), new Latents(3, 2, 4, 6)),
                        GnmConfiguration.small(64))) {
            Gnm gnm = initialised(manager, sizes);
            int size = sizes.picture().size();
            NDArray images =
                    Tensors.uniform(
                            manager,
                            1,
                            DataType.FLOAT32,
                            2,
                            sizes.picture().channels(),
                            size,
                            size);
            GnmOutput out = gnm.step(store, images, SETTING, GnmNoise.drawn(), false);
            assertTrue(Float.isFinite(out.loss().getFloat()));
            // One channel, also where objects are opaque and coloured.
            assertEquals(
                    new Shape(2, (long) sizes.cells() * sizes.cells(), 1, size, size),
                    out.rendered().masks().getShape());
            gnm.explain(store, images, GnmDraws.mode());
        }
    }

    @Test
    void sizesThatDoNotFitAreRefused() {
        GnmConfiguration good = tiny();
        assertRefused(
                "GnmConfiguration: the encoder must leave 3 x 3 of pictures of 8 x 8, got 2",
                () ->
                        new GnmConfiguration(
                                good.picture(), 3, good.latents(), good.networks(), 0.3));
        assertRefused(
                "GnmConfiguration: the background must become as large as the picture, 16, got 8",
                () ->
                        new GnmConfiguration(
                                new Picture(16, 3, true, true),
                                4,
                                good.latents(),
                                good.networks(),
                                0.3));
        assertRefused(
                "GnmConfiguration: the glimpse must end in 3 filters, got 4",
                () ->
                        new GnmConfiguration(
                                new Picture(8, 3, false, true),
                                2,
                                good.latents(),
                                good.networks(),
                                0.3));
        // What is squared must not become 0 or infinite.
        for (double wrong : new double[] {0, -1, 1e-20, 1e20, 1e200, Double.NaN}) {
            assertRefused(
                    "GnmConfiguration: sigma must be from 1e-9 to 1e9, got " + wrong,
                    () ->
                            new GnmConfiguration(
                                    good.picture(), 2, good.latents(), good.networks(), wrong));
            assertRefused(
                    "GnmStart: deviation must be from 1e-9 to 1e9, got " + wrong,
                    () -> new GnmStart(0, 0, 0, List.of(1.0, 1.0, 1.0, 1.0), wrong, 0));
            assertRefused(
                    "GnmStart: whereDeviations must be from 1e-9 to 1e9, got " + wrong,
                    () -> new GnmStart(0, 0, 0, List.of(1.0, 1.0, 1.0, wrong), 1, 0));
        }
        assertRefused(
                "GnmNetworks.Stack: filters, kernels, steps and groups must be as many, got 2, 1,"
                        + " 2 and 2",
                () -> Stack.of(List.of(4, 4), List.of(3), List.of(1, 1)));
    }

    @Test
    void theDefaultSizesAreTheOriginals(NDManager manager) throws IOException {
        Gnm gnm = initialised(manager, GnmConfiguration.objectDiscoveryPytorch(0.2));
        Map<String, Shape> own = new TreeMap<>();
        ReferenceCase.parameters(gnm).forEach((name, array) -> own.put(name, array.getShape()));
        Map<String, Shape> expected = new TreeMap<>();
        long learnt = 0;
        try (var reader =
                new InputStreamReader(
                        getClass().getResourceAsStream("/gnm/state_dict_default.json"),
                        StandardCharsets.UTF_8)) {
            var all = JsonParser.parseReader(reader).getAsJsonObject();
            for (JsonElement entry : all.getAsJsonArray("entries")) {
                var object = entry.getAsJsonObject();
                long[] shape =
                        object.getAsJsonArray("shape").asList().stream()
                                .mapToLong(JsonElement::getAsLong)
                                .toArray();
                String name = object.get("name").getAsString();
                expected.put(name, new Shape(shape));
                boolean buffer = object.get("buffer").getAsBoolean();
                learnt += buffer ? 0 : new Shape(shape).size();
                assertEquals(!buffer, gnm.getDirectParameters().get(name).requiresGradient(), name);
            }
            assertEquals(all.get("parameters").getAsLong(), learnt);
        }
        assertEquals(expected, own);
    }

    /** The same as all cells drawn, without those that are not there. */
    @Test
    void cellsWithoutAnObjectAreLeftOut(NDManager manager) {
        Gnm gnm = initialised(manager, GnmConfiguration.small(32));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 3, 3, 32, 32);
        ExplainedScenes some = gnm.explain(store, images, GnmDraws.mode());
        double present = some.cells().presence().sum().getFloat();
        assertTrue(present > 0 && present < 48, "some are on: " + present);
        // Near 0, a temperature's draws at one half are the mode, but for presence and its bounds.
        GnmNoise middle =
                new GnmNoise(
                        manager.zeros(new Shape(3, 4)),
                        null,
                        manager.full(new Shape(3, 1, 4, 4), 0.5f),
                        manager.zeros(new Shape(3, 4, 4, 4)),
                        manager.zeros(new Shape(3, 1, 4, 4)),
                        manager.zeros(new Shape(3, 16, 4, 4)));
        ExplainedScenes all = gnm.explain(store, images, new GnmDraws(1e-3, middle));
        assertClose("presence", some.cells().presence(), all.cells().presence(), 1e-5);
        assertClose("picture", some.rendered().picture(), all.rendered().picture(), 1e-4);
        assertClose("foreground", some.rendered().foreground(), all.rendered().foreground(), 1e-4);
        assertClose("alpha", some.rendered().alpha(), all.rendered().alpha(), 1e-4);
        assertClose("masks", some.rendered().masks(), all.rendered().masks(), 1e-4);
    }

    @Test
    void aSceneWithoutObjectsIsItsBackground(NDManager manager) {
        Gnm gnm = initialised(manager, GnmConfiguration.small(32));
        new GnmStart(-5, 0, -1, List.of(0.1, 0.1, 0.1, 0.1), 0.1, 0).applyTo(gnm);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        ExplainedScenes none = gnm.explain(store, images, GnmDraws.mode());
        assertSame("picture", none.rendered().background(), none.rendered().picture());
        assertEquals(0, none.rendered().masks().sum().getFloat());
        assertArrayEquals(new int[] {0, 0}, none.counts());
        NDList found = DiscoveredCells.of(none);
        assertEquals(1, found.get("masks").get(":, 0").min().getFloat(), "all is background");
    }

    @Test
    void objectsAreSortedAndPlaced(NDManager manager) {
        Gnm gnm = initialised(manager, GnmConfiguration.small(32));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        ExplainedScenes explained = gnm.explain(store, images, GnmDraws.mode());
        for (int b = 0; b < 2; b++) {
            List<PlacedObject> objects = explained.objects().get(b);
            assertEquals(explained.counts()[b], objects.size());
            for (int i = 0; i < objects.size(); i++) {
                PlacedObject object = objects.get(i);
                assertTrue(i == 0 || objects.get(i - 1).depth() <= object.depth());
                NDArray where = explained.cells().where().get(b);
                int row = object.cell() / 4;
                int column = object.cell() % 4;
                float width = where.get("0, {}, {}", row, column).getFloat();
                float right = where.get("2, {}, {}", row, column).getFloat();
                assertEquals(32 * width, object.box().width(), 1e-4);
                double centre = object.box().x() + object.box().width() / 2;
                assertEquals(16 * (right + 1), centre, 1e-4);
                assertEquals(16, object.what().length);
            }
        }
    }

    @Test
    void generationGoesOnFromAChosenStart(NDManager manager) {
        Gnm gnm = initialised(manager, GnmConfiguration.small(32));
        ParameterStore store = new ParameterStore(manager, false);
        manager.getEngine().setRandomSeed(1);
        GeneratedScenes made = gnm.generate(store, manager, 3, GnmDraws.mode());
        NDArray first = made.latent().latent().get(":, :1");
        NDArray noise = Tensors.normal(manager, 2, 3, 1, 16);
        GnmNoise given = new GnmNoise(null, noise, null, null, null, null);
        GeneratedScenes others = gnm.generate(store, first, GnmDraws.mode().with(given));
        assertSame("given", first, others.latent().latent().get(":, :1"));
        GeneratedScenes again = gnm.generate(store, made.latent().latent(), GnmDraws.mode());
        assertClose(
                "all steps given",
                made.scenes().rendered().picture(),
                again.scenes().rendered().picture(),
                1e-5);
        assertEquals(new Shape(3, 3, 32, 32), made.scenes().rendered().picture().getShape());
    }

    @Test
    void theSettingOfListsCanBeSet(NDManager manager) {
        Gnm gnm = initialised(manager, tiny());
        ParameterStore store = new ParameterStore(manager, false);
        NDList in = inputs(manager, DataType.FLOAT32);
        float one = gnm.forward(store, in, true).get(GnmOutput.LOSS).getFloat();
        gnm.setSetting(new GnmSetting(1, Map.of(GnmTerm.WHAT, 0.0), 0.9, -1.0, 0.9));
        assertTrue(one != gnm.forward(store, in, true).get(GnmOutput.LOSS).getFloat());
        NDList found = gnm.forward(store, in, false);
        Shape[] shapes = gnm.getOutputShapes(new Shape[] {new Shape(2, 3, 8, 8)});
        for (int i = 0; i < shapes.length; i++) {
            assertEquals(shapes[i], found.get(i).getShape());
        }
        assertEquals("masks", found.get(0).getName());
    }

    @Test
    void errors(NDManager manager) throws Exception {
        Gnm gnm = initialised(manager, tiny());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = manager.zeros(new Shape(2, 3, 8, 8));
        assertRefused(
                "Gnm: images must be (B, 3, 8, 8), got (2, 3, 8, 9)",
                () -> gnm.explain(store, manager.zeros(new Shape(2, 3, 8, 9)), GnmDraws.mode()));
        assertRefused(
                "Gnm: noise_where must be (2, 4, 2, 2), got (2, 4, 2, 3)",
                () ->
                        gnm.step(
                                store,
                                images,
                                SETTING,
                                new GnmNoise(
                                        null,
                                        null,
                                        null,
                                        manager.zeros(new Shape(2, 4, 2, 3)),
                                        null,
                                        null),
                                false));
        assertRefused(
                "Gnm: steps must be at most 2, got 3",
                () -> gnm.reconstruct(store, images, 3, GnmDraws.mode()));
        assertRefused(
                "Gnm: batch must be at least 1, got 0",
                () -> gnm.generate(store, manager, 0, GnmDraws.mode()));
        assertRefused(
                "Gnm: scene must have at most 2 steps, got 3",
                () -> gnm.generate(store, manager.zeros(new Shape(2, 3, 3)), GnmDraws.mode()));
        assertRefused(
                "GnmDraws: temperature must be above 0 and finite, got 0.0", () -> GnmDraws.at(0));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        gnm.saveParameters(new DataOutputStream(bytes));
        Gnm other = new Gnm(tiny(new Picture(8, 3, true, true), new Latents(3, 3, 4, 2)));
        assertThrows(
                MalformedModelException.class,
                () ->
                        other.loadParameters(
                                manager,
                                new DataInputStream(
                                        new ByteArrayInputStream(bytes.toByteArray()))));
    }
}
