package org.slotwise.gnm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.image.BackgroundSlot;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.image.ObjectList;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.GnmLayouts;
import org.slotwise.weights.StateDict;

/** Explanations as discovered objects, weights in and out, threads. */
@ExtendWith(OnDevice.class)
class GnmUseTest {

    @TempDir private Path folder;

    private static Gnm gnm(NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        Gnm gnm = new Gnm(GnmConfiguration.small(32));
        gnm.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
        return gnm;
    }

    private static Image picture() {
        BufferedImage image = new BufferedImage(50, 40, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.RED);
        graphics.fillRect(5, 5, 12, 12);
        graphics.dispose();
        return ImageFactory.getInstance().fromImage(image);
    }

    /** What pictures, JSON, servers and Spark take. */
    @Test
    void explanationsAreDiscoveredObjects(NDManager manager) throws Exception {
        Gnm gnm = gnm(manager);
        ObjectDiscoveryTranslator translator =
                ObjectDiscoveryTranslator.builder()
                        .setImageSize(32, 32)
                        .optBackground(BackgroundSlot.number(0))
                        .build();
        try (Model model = Model.newInstance("gnm", Device.cpu(), "PyTorch")) {
            model.setBlock(gnm);
            try (Predictor<Image, DiscoveredObjects> predictor = model.newPredictor(translator)) {
                DiscoveredObjects found = predictor.predict(picture());
                assertEquals(17, found.masks().slots());
                assertEquals(17, found.slots().length);
                assertEquals(22, found.slots()[1].length);
                assertNotNull(found.reconstruction());
                ObjectList objects = found.objects();
                assertEquals(objects, ObjectList.fromJson(objects.toJson()));
                objects.objects()
                        .forEach(
                                o -> {
                                    assertTrue(o.slot() > 0, "the background stands beside them");
                                    assertEquals(1, o.vector()[0], "present");
                                });
                List<DiscoveredObjects> two = predictor.batchPredict(List.of(picture(), picture()));
                assertEquals(two.get(0).objects(), two.get(1).objects());
                assertEquals(objects.count(), two.get(0).objects().count());
            }
        }
    }

    @Test
    void weightsGoBothWays(NDManager manager) throws Exception {
        Gnm gnm = gnm(manager);
        StateDict own = StateDict.of(gnm);
        Path file = folder.resolve("theirs.safetensors");
        StateDict theirs = GnmLayouts.objectDiscoveryPytorch().revert(own);
        assertTrue(theirs.names().stream().allMatch(name -> name.startsWith("model.")));
        assertEquals(own.names().size(), theirs.names().size());
        theirs.write(file);
        Gnm other = new Gnm(GnmConfiguration.small(32));
        other.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
        try (StateDict read = StateDict.read(file)) {
            GnmLayouts.objectDiscoveryPytorch().apply(read).loadInto(other);
        }
        Map<String, NDArray> loaded = StateDict.of(other).arrays();
        own.arrays().forEach((name, array) -> assertSame(name, array, loaded.get(name)));
        // The authors have the cells' network twice, and the encoder one level deeper.
        Map<String, NDArray> authors = new LinkedHashMap<>();
        own.arrays()
                .forEach(
                        (name, array) -> {
                            authors.put(
                                    name.replaceFirst("^img_encoder\\.", "img_encoder.enc."),
                                    array);
                            if (name.startsWith("p_z_given_x_or_g_net.")) {
                                authors.put(name.replace("_x_or_g_", "_g_"), array);
                            }
                        });
        StateDict mapped = GnmLayouts.original().apply(StateDict.of(authors));
        assertEquals(own.arrays().keySet(), mapped.arrays().keySet());
        // A model of other sizes is refused.
        Gnm larger = new Gnm(GnmConfiguration.small(64));
        larger.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 64, 64));
        assertThrows(IllegalArgumentException.class, () -> own.loadInto(larger));
    }

    @Test
    void manyThreadsExplainAlike(NDManager manager) {
        Gnm gnm = gnm(manager);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        float[] values = images.toFloatArray();
        float[] expected = explained(gnm, values, manager);
        List<CompletableFuture<float[]>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(
                    CompletableFuture.supplyAsync(
                            () -> {
                                try (NDManager own =
                                        NDManager.newBaseManager(manager.getDevice(), "PyTorch")) {
                                    return explained(gnm, values, own);
                                }
                            }));
        }
        for (CompletableFuture<float[]> one : all) {
            assertArrayEquals(expected, one.join());
        }
    }

    private static float[] explained(Gnm gnm, float[] values, NDManager manager) {
        NDArray images = manager.create(values, new Shape(2, 3, 32, 32));
        return gnm.explain(new ParameterStore(manager, false), images, GnmDraws.mode())
                .rendered()
                .picture()
                .toFloatArray();
    }

    /** One number that is none makes the loss none, and nothing else goes wrong. */
    @Test
    void whatIsNoNumberShows(NDManager manager) {
        Gnm gnm = gnm(manager);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        images.set(new float[(int) images.size()]);
        NDArray broken = images.mul(Float.NaN);
        ParameterStore store = new ParameterStore(manager, false);
        GnmOutput out = gnm.step(store, broken, GnmSetting.of(1), GnmNoise.drawn(), false);
        assertTrue(Float.isNaN(out.loss().getFloat()));
        assertEquals(0, gnm.explain(store, broken, GnmDraws.mode()).counts()[0]);
    }
}
