package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.TexturedScenes;
import org.slotwise.grouping.FeatureExtractorOutput;
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
    void groundHasNoContrastWhateverItsColours(NDManager manager) {
        BorderContrast.Seen seen = new BorderContrast(1, 1, 1, 0.1).of(picture(manager));
        double[] u = doubles(seen.contrast());
        double[] features = doubles(seen.features());
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                boolean object = isObject(y, x);
                int at = y * SIDE + x;
                assertEquals(object ? 1 : 0, u[at], 1e-5);
                assertEquals(object ? 1 : 0, features[6 * at + 2], 1e-5);
                assertEquals(object ? y / (SIDE - 1.0) : 0, features[6 * at + 3], 1e-5);
                assertEquals(object ? 0.5 : 0, features[6 * at + 5], 1e-5);
            }
        }
        assertEquals(
                new Shape(1, 64, 6),
                new BorderContrast(2, 3, 1, 0.1).of(picture(manager)).features().getShape());
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
        GroundStart start =
                new GroundStart(
                        new GroundAndClusters(1, 1, 1, 0.1, 2, 5),
                        Sizes.of(c, null).withFeatures(SIDE * SIDE, 64, 0));
        start.initialize(manager, DataType.FLOAT32, new Shape(1, SIDE * SIDE, 64));
        double[] members =
                doubles(
                        start.begin(
                                        new ParameterStore(manager, false),
                                        picture(manager),
                                        new FeatureExtractorOutput(
                                                manager.ones(new Shape(1, SIDE * SIDE, 64))),
                                        false)
                                .guess()
                                .attributions());
        int n = SIDE * SIDE;
        int left = 7 * SIDE + 3;
        int right = 7 * SIDE + 11;
        assertEquals(1, members[0]);
        assertEquals(1, members[n - 1]);
        assertEquals(0, members[left]);
        int slotOfLeft = members[n + left] == 1 ? 1 : 2;
        assertEquals(1, members[slotOfLeft * n + left]);
        assertEquals(1, members[(3 - slotOfLeft) * n + right], "the other one's");
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
                () -> new GroundAndClusters(1, 2, 1, 0.1, 1, 1));
        assertRefused(
                who + "tolerance must be above 0 and finite, got 0.0",
                () -> new GroundAndClusters(1, 1, 1, 0, 1, 1));
        assertRefused(
                "TrainingRecipe: smoothing must be odd, and at least 1, got 2",
                () -> {
                    TrainingRecipe r = Presets.named("pictures").recipe();
                    new TrainingRecipe(1, 1, r.learningRate(), 1, Augmentation.NONE, 0, 0, 2, 0, 0);
                });
    }
}
