package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class PresetsTest {

    @Test
    void areKnownByName() {
        assertEquals(
                List.of(
                        "clevr",
                        "dinosaur",
                        "dinosaur-autoregressive",
                        "multi-dsprites",
                        "object-discovery-pytorch",
                        "paper-multi-dsprites",
                        "paper-tetrominoes",
                        "pictures",
                        "pictures-128",
                        "pictures-textured",
                        "plain-clevr",
                        "plain-tetrominoes",
                        "resnet-clevr",
                        "tetrominoes"),
                Presets.names());
        Presets.names().forEach(name -> assertEquals(name, Presets.named(name).name()));
        assertRefused(
                "Presets: there is no clever, only " + Presets.names(),
                () -> Presets.named("clever"));
        assertRefused(
                "Preset: clevr has no network from a file",
                () -> Presets.named("clevr").withBackbone(Path.of("a.pt")));
        assertEquals(11, Presets.named("clevr").withSlots(11).configuration().slots());
        ObjectDiscoveryConfiguration wide =
                Presets.named("pictures").withImageSize(20, 33).configuration();
        assertEquals(20, wide.imageHeight());
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(wide, 0)) {
            assertEquals(new Shape(20, 33), model.block().featureGrid());
        }
        ObjectDiscoveryConfiguration fixed =
                Presets.named("clevr").withImageSize(64, 64).configuration();
        assertThrows(IllegalArgumentException.class, () -> ObjectDiscoveryModel.create(fixed, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> Presets.named("pictures").withImageSize(0, 64));
    }

    /** As many numbers as the layers' sizes give by hand. */
    @Test
    void haveTheSizesOfTheirSource(NDManager manager) {
        // 4 convolutions, positions, norm, perceptron; slots; attention; GRU, perceptron; decoder.
        long encoder = (75 * 64 + 64) + 3 * (25 * 64 * 64 + 64) + (4 * 64 + 64) + 128 + 2 * 4160;
        long attention =
                128 + 128 + 3 * 4096 + 2 * (192 * 64 + 192) + 128 + (64 * 128 + 128) + 8256;
        long decoder = (4 * 64 + 64) + 5 * (25 * 64 * 64 + 64) + (9 * 64 * 4 + 4);
        assertEquals(encoder + 128 + attention + decoder, numbers(manager, "clevr"));
        assertEquals(
                encoder - 128 + 128 + attention + decoder,
                numbers(manager, "object-discovery-pytorch"));
    }

    private static long numbers(NDManager manager, String name) {
        ObjectDiscovery block = new ObjectDiscovery(Presets.named(name).configuration());
        ModelWeights.draw(block, manager, DataType.FLOAT32);
        return block.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum();
    }

    @Test
    void run(NDManager manager) {
        for (String name : Presets.names()) {
            ObjectDiscoveryConfiguration c = Presets.named(name).configuration();
            if (c.encoder() instanceof EncoderConfiguration.Pretrained) {
                continue;
            }
            try (NDManager own = manager.newSubManager()) {
                ObjectDiscovery block = new ObjectDiscovery(c);
                ModelWeights.draw(block, own, DataType.FLOAT32);
                NDArray image =
                        Tensors.uniform(
                                own, 1, DataType.FLOAT32, 1, 3, c.imageHeight(), c.imageWidth());
                NDList out =
                        block.forward(new ParameterStore(own, false), new NDList(image), false);
                assertEquals(c.imageWidth(), out.get("masks").getShape().get(3), name);
            }
        }
    }

    /** The scores of docs/training.md are of 320 scenes; a few tell that the weights are right. */
    @Test
    void shippedModelsFindObjects() throws IOException {
        assertEquals(List.of("multi-dsprites", "tetrominoes"), ObjectDiscoveryModel.shippedNames());
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped("tetrominoes")) {
            SegmentationScores scores =
                    model.evaluate(Tetrominoes.builder().setSize(32).optSeed(77).build());
            assertTrue(scores.foregroundAri() > 0.98, scores.toString());
        }
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped("multi-dsprites")) {
            SegmentationScores scores =
                    model.evaluate(MultiDSprites.builder().setSize(32).optSeed(77).build());
            assertTrue(scores.foregroundAri() > 0.88, scores.toString());
        }
        assertRefused(
                "ObjectDiscoveryModel: no clevr comes with the library, only [multi-dsprites,"
                        + " tetrominoes]",
                () -> ObjectDiscoveryModel.shipped("clevr"));
    }
}
