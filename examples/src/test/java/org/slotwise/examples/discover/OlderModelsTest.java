package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Run;
import org.slotwise.weights.StateDict;

/** Files of models of before a training could say what is added to attention. */
class OlderModelsTest {

    @TempDir Path folder;

    /** What slots see in the same noise, by the weights of a new model and what its file says. */
    private float[] masks(Map<String, String> says) throws IOException {
        Path file = folder.resolve(says.size() + says.getOrDefault("eps", "") + ".safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            try (StateDict weights = StateDict.of(model(manager, null))) {
                weights.withMetadata(says).write(file);
            }
            float[] noise = new float[3 * 35 * 35];
            for (int i = 0; i < noise.length; i++) {
                noise[i] = i * 37 % 101 / 101f;
            }
            NDArray image = manager.create(noise, new Shape(1, 3, 35, 35));
            return model(manager, file)
                    .trace(new ParameterStore(manager, false), image, 10)
                    .get("masks")
                    .toFloatArray();
        }
    }

    private static DiscoveryModel model(NDManager manager, Path file) throws IOException {
        return DiscoveryModel.load(manager, file, DiscoveryTask.TETROMINOES, null);
    }

    @Test
    void areUsedAsTheyWereTrained() throws IOException {
        float[] former = masks(Map.of("task", "tetrominoes", "eps", "1e-8"));
        assertArrayEquals(former, masks(Map.of("task", "tetrominoes")));
        assertArrayEquals(former, masks(Map.of()), "of before there were two kinds of scenes");
        assertFalse(Arrays.equals(former, masks(Map.of("task", "tetrominoes", "eps", "1e-3"))));
    }

    /** The eps of before gives a file as of before; without one there is the task's. */
    @Test
    void canBeTrainedAgain() throws IOException {
        assertEquals(Map.of("task", "tetrominoes"), trained("--eps", "1e-8"));
        assertEquals(Map.of("task", "tetrominoes", "eps", "0.001"), trained("--eps", "1e-3"));
        assertEquals(Map.of("task", "tetrominoes", "eps", "0.001"), trained("--seed", "0"));
        assertEquals(
                Map.of("task", "multi-dsprites", "eps", "0.001"),
                trained("--data", "multi-dsprites"));
    }

    private Map<String, String> trained(String option, String value) throws IOException {
        Path file = folder.resolve("trained.safetensors");
        String[] train = {"train", "--steps", "1", "--output", file.toString(), option, value};
        Run.of(new DiscoverObjects(), train).succeeds();
        try (StateDict weights = StateDict.read(file)) {
            return weights.metadata();
        }
    }
}
