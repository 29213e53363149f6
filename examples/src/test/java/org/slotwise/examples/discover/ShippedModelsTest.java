package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.data.Scene;
import org.slotwise.model.ObjectDiscoveryModel;

/** The model of this program and the one that the library makes of the same weights. */
class ShippedModelsTest {

    @ParameterizedTest
    @EnumSource(DiscoveryTask.class)
    void giveTheSame(DiscoveryTask task) throws IOException {
        try (NDManager manager = NDManager.newBaseManager();
                ObjectDiscoveryModel library = ObjectDiscoveryModel.shipped(task.toString())) {
            DiscoveryModel own = DiscoveryModel.load(manager, null, task, null);
            ParameterStore store = new ParameterStore(manager, false);
            for (int i = 0; i < 5; i++) {
                NDArray image = image(manager, task.scenes(99, 5).get(i));
                int iterations = task.recipe().testIterations();
                NDList expected = own.trace(store, image, iterations);
                NDList before = own.trace(store, image, iterations - 1);
                NDList got = library.block().forward(store, new NDList(image), false);
                for (String name :
                        List.of("masks", "reconstruction", "objects", "feature_attributions")) {
                    NDArray apart = expected.get(name).sub(got.get(name)).abs();
                    NDArray moves = expected.get(name).sub(before.get(name)).abs();
                    float most = apart.max().getFloat();
                    // Slots that do not stay where they are magnify what is rounded otherwise.
                    float allowed = 2e-4f + 2e-4f * moves.max().getFloat();
                    assertTrue(most <= allowed, name + " of scene " + i + ": " + most);
                    float mean = apart.mean().getFloat();
                    assertTrue(mean <= 5e-5f, name + " of scene " + i + ", mean: " + mean);
                }
            }
        }
    }

    private static NDArray image(NDManager manager, Scene scene) {
        byte[] bytes = scene.image();
        float[] values = new float[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = (bytes[i] & 0xff) / 255f;
        }
        return manager.create(values, new Shape(1, scene.height(), scene.width(), 3))
                .transpose(0, 3, 1, 2)
                .toType(DataType.FLOAT32, true);
    }
}
