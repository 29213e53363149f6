package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class PlainPresetsTest {

    /** As in the paper: noise of one distribution, Slot Attention, a spatial broadcast decoder. */
    @ParameterizedTest
    @ValueSource(strings = {"plain-tetrominoes", "plain-clevr"})
    void areOfThePapersParts(String name) {
        ObjectDiscoveryConfiguration c = Presets.named(name).configuration();
        assertEquals(new ConditioningConfiguration.Random(true, true, false, 0L), c.conditioning());
        GroupingConfiguration.SlotAttention grouping =
                (GroupingConfiguration.SlotAttention) c.grouping();
        assertEquals(1, grouping.heads());
        assertTrue(grouping.implicitDifferentiation());
        assertEquals(3, grouping.trainingIterations());
        DecoderConfiguration.SpatialBroadcast decoder =
                (DecoderConfiguration.SpatialBroadcast) c.decoder();
        int stride = 1;
        for (BroadcastArchitecture.Layer layer : decoder.architecture().layers()) {
            stride *= layer.stride();
            assertTrue(layer.kernel() >= 2 * layer.stride() - 1, "every pixel is made of slots");
        }
        assertEquals(c.imageHeight(), stride * decoder.architecture().height());
        assertEquals(c.imageWidth(), stride * decoder.architecture().width());
    }

    /** A hundred steps tell no objects apart, but the pictures are made better than as black. */
    @Test
    void learnsAndIsSaved(@TempDir Path folder) throws IOException {
        Preset preset = Presets.named("plain-tetrominoes");
        Tetrominoes scenes = Tetrominoes.builder().setSize(800).build();
        Tetrominoes others = Tetrominoes.builder().setSize(32).optSeed(77).build();
        TrainingRecipe recipe = preset.recipe().withSteps(100).withBatchSize(8);
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(preset.configuration(), 0)) {
            double before = model.evaluate(others).error();
            model.fit(scenes, recipe);
            SegmentationScores after = model.evaluate(others);
            assertTrue(after.error() < 0.11, () -> before + " -> " + after);
            model.save(folder.resolve("m"));
            try (ObjectDiscoveryModel again = ObjectDiscoveryModel.load(folder.resolve("m"))) {
                assertEquals(after, again.evaluate(others), "inference draws the same noise");
            }
        }
    }
}
