package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.EncoderConfiguration.Convolutional;
import org.slotwise.model.EncoderConfiguration.Perceptron;
import org.slotwise.model.EncoderConfiguration.Pretrained;
import org.slotwise.model.EncoderConfiguration.Projection;
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.KnownLayouts;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class ForeignModelsTest {

    private static final Path RESOURCES = Path.of("src/test/resources");

    @TempDir Path folder;

    /** The preset at the sizes of the fixture, which src/test/python/make_models.py makes. */
    private static ObjectDiscoveryConfiguration small(int dim) {
        ObjectDiscoveryConfiguration c = Presets.named("object-discovery-pytorch").configuration();
        Convolutional encoder = (Convolutional) c.encoder();
        Perceptron p = encoder.perceptron();
        BroadcastArchitecture large =
                ((DecoderConfiguration.SpatialBroadcast) c.decoder()).architecture();
        return new ObjectDiscoveryConfiguration(
                32,
                32,
                c.colours(),
                3,
                dim,
                new Convolutional(
                        Collections.nCopies(4, dim),
                        encoder.strides(),
                        encoder.kernelSize(),
                        encoder.negativeSlope(),
                        new Perceptron(p.positions(), p.norm(), p.normEps(), dim, dim)),
                new ConditioningConfiguration.Random(true, true, false, 3L),
                new GroupingConfiguration.SlotAttention(
                        2, 1, dim, 1e-8, 1e-5, false, 6, true, null),
                new DecoderConfiguration.SpatialBroadcast(
                        new BroadcastArchitecture(
                                2,
                                2,
                                large.layers().stream()
                                        .map(
                                                l ->
                                                        new BroadcastArchitecture.Layer(
                                                                l.transposed(),
                                                                l.channels() == 4 ? 4 : dim,
                                                                l.kernel(),
                                                                l.stride()))
                                        .toList()),
                        0.01,
                        false));
    }

    @Test
    void objectDiscoveryPytorchLoadsAndAgrees(NDManager manager) throws IOException {
        Path files = RESOURCES.resolve("model");
        ObjectDiscovery block = new ObjectDiscovery(small(5));
        ModelWeights.draw(block, manager, DataType.FLOAT64);
        var map = KnownLayouts.objectDiscoveryPytorchModel();
        try (StateDict checkpoint = StateDict.read(files.resolve("object_discovery_pytorch.ckpt"));
                StateDict theirs = checkpoint.under("model.");
                StateDict ours = map.apply(theirs);
                StateDict expected =
                        StateDict.read(files.resolve("object_discovery_pytorch.npz"))) {
            ours.loadInto(block);
            NDArray images = expected.get("images").toDevice(manager.getDevice(), true);
            images.attach(manager);
            NDList out =
                    block.forward(new ParameterStore(manager, false), new NDList(images), false);
            for (String name : List.of("objects", "feature_attributions", "masks")) {
                assertClose(name, expected.get(name), out.get(name), 1e-10);
            }
            for (String name : List.of("slot_images", "reconstruction")) {
                NDArray scaled = expected.get(name).mul(0.5).add(0.5);
                assertClose(name, scaled, out.get(name), 1e-10);
            }
            try (StateDict back = map.revert(StateDict.of(block))) {
                var names = new TreeSet<>(theirs.names());
                names.removeIf(name -> name.endsWith(".grid"));
                assertEquals(names, new TreeSet<>(back.names()));
                assertClose(
                        "decoder.4.2.weight",
                        theirs.get("decoder.4.2.weight"),
                        back.get("decoder.4.2.weight"),
                        0);
            }
        }
    }

    private static ObjectDiscoveryConfiguration dinosaur(
            String file, DecoderConfiguration decoder, int featureDim) {
        return new ObjectDiscoveryConfiguration(
                16,
                24,
                ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1,
                3,
                4,
                new Pretrained(
                        file,
                        List.of(0.5, 0.5, 0.5),
                        List.of(0.2, 0.2, 0.2),
                        null,
                        null,
                        new Projection(6, featureDim)),
                new ConditioningConfiguration.Random(true, true, false, 1L),
                new GroupingConfiguration.SlotAttention(2, 1, 4, 1e-8, 1e-5, false, 5, false, null),
                decoder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void aNetworkFromAFileGoesAlong(String name) throws Exception {
        for (DecoderConfiguration decoder :
                List.of(
                        new DecoderConfiguration.Features(List.of(6), null),
                        new DecoderConfiguration.Autoregressive(4, 2, 1, 8, true, true, true))) {
            Path path = folder.resolve(name);
            Path again = folder.resolve("again-" + name);
            Path network =
                    Files.copy(
                            RESOURCES.resolve("backbone/tiny.pt"),
                            folder.resolve("net.pt"),
                            StandardCopyOption.REPLACE_EXISTING);
            Image image = ObjectDiscoveryModelTest.image(20, 17, 1);
            DiscoveredObjects expected;
            Scenes scenes = Scenes.of(List.of(new Scene(14, 14, new byte[588])));
            try (ObjectDiscoveryModel model =
                    ObjectDiscoveryModel.create(dinosaur(network.toString(), decoder, 5), 1)) {
                TrainingProgress end =
                        model.fit(
                                scenes,
                                new TrainingRecipe(
                                        3,
                                        2,
                                        LearningRateSchedule.constant(1e-3),
                                        1,
                                        Augmentation.NONE,
                                        0,
                                        1));
                assertTrue(Double.isFinite(end.loss()));
                expected = model.predict(image);
                assertEquals(20, expected.segmentation().getMask().length);
                assertTrue(expected.reconstruction() == null);
                model.save(path);
            }
            Files.delete(network);
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(path)) {
                assertTrue(Arrays.deepEquals(expected.slots(), model.predict(image).slots()));
                model.save(again);
            }
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(again)) {
                assertTrue(Arrays.deepEquals(expected.slots(), model.predict(image).slots()));
            }
        }
    }

    /** A model of others may name any file: it is not opened. */
    @Test
    void filesOutsideOfTheFolderAreRefused() throws IOException {
        Path path = folder.resolve("model");
        try (ObjectDiscoveryModel model =
                ObjectDiscoveryModel.create(
                        dinosaur(
                                RESOURCES.resolve("backbone/tiny.pt").toString(),
                                new DecoderConfiguration.Features(List.of(6), null),
                                5),
                        1)) {
            model.save(path);
        }
        Path json = path.resolve("model.json");
        Files.writeString(json, Files.readString(json).replace("\"backbone.pt\"", "\"../net.pt\""));
        IOException e = assertThrows(IOException.class, () -> ObjectDiscoveryModel.load(path));
        assertTrue(e.getMessage().contains("encoder.file must be backbone.pt or .onnx"));
    }
}
