package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Properties as labels of {@link SceneDataset}. */
@ExtendWith(OnDevice.class)
class ScenePropertiesTest {

    private static final ClevrLikeScenes SCENES =
            ClevrLikeScenes.builder().setSize(5).optSeed(2).optObjects(0, 4).build();

    private static SceneDataset.Builder dataset(Scenes scenes) {
        return SceneDataset.builder().setScenes(scenes).setSampling(2, false);
    }

    private static List<NDArray> properties(SceneDataset dataset, NDManager manager, int label)
            throws Exception {
        List<NDArray> all = new ArrayList<>();
        for (Batch batch : dataset.getData(manager)) {
            NDArray properties = batch.getLabels().get(label);
            properties.attach(manager);
            all.add(properties);
            batch.close();
        }
        return all;
    }

    private static void check(List<NDArray> batches, Scenes scenes) throws Exception {
        int at = 0;
        for (NDArray batch : batches) {
            Shape shape = batch.getShape();
            assertEquals(DataType.FLOAT32, batch.getDataType());
            assertEquals(new Shape(shape.get(0), 6, 19), shape);
            double[] values = Tensors.doubles(batch);
            for (int b = 0; b < shape.get(0); b++, at++) {
                float[][] expected = scenes.get(at).properties();
                for (int k = 0; k < 6; k++) {
                    for (int p = 0; p < 19; p++) {
                        assertEquals(
                                k < expected.length ? expected[k][p] : 0,
                                values[(b * 6 + k) * 19 + p]);
                    }
                }
            }
        }
        assertEquals(scenes.size(), at);
    }

    @Test
    void areTheLastLabels(NDManager manager) throws Exception {
        check(properties(dataset(SCENES).optProperties(6).build(), manager, 2), SCENES);
        // Without masks they come second.
        List<Scene> noMasks =
                SCENES.open()
                        .map(
                                s ->
                                        new Scene(64, 64, s.image(), null, s.objectCount())
                                                .withProperties(s.properties()))
                        .toList();
        check(properties(dataset(Scenes.of(noMasks)).optProperties(6).build(), manager, 1), SCENES);
        for (Batch batch : dataset(SCENES).build().getData(manager)) {
            assertEquals(2, batch.getLabels().size(), "only if asked for");
            batch.close();
        }
    }

    @Test
    void sceneBySceneTheyAreTheSame(NDManager manager) throws Exception {
        // A transform sends the data set on DJL's own way.
        Scenes some = ClevrLikeScenes.builder().setSize(5).optSeed(2).optObjects(1, 4).build();
        SceneDataset dataset =
                dataset(some).optProperties(6).addTransform(image -> image.add(1)).build();
        check(properties(dataset, manager, 2), some);
    }

    @Test
    void errors(NDManager manager) {
        assertRefused(
                "SceneDataset: objects must be at least 1, got 0",
                () -> dataset(SCENES).optProperties(0));
        String many = message(dataset(SCENES).optProperties(1).build(), manager);
        assertTrue(many.contains("objects, more than the 1 rows of properties"), many);
        Scenes without = Tetrominoes.builder().setSize(2).build();
        String none = message(dataset(without).optProperties(3).build(), manager);
        assertTrue(none.contains("a scene has no properties"), none);
        Scenes empty = ClevrLikeScenes.builder().setSize(2).optObjects(0, 0).build();
        String nothing = message(dataset(empty).optProperties(3).build(), manager);
        assertTrue(nothing.contains("no scene of a batch has an object"), nothing);
        Scene one = new Scene(1, 1, new byte[3], null, 1);
        Scenes ragged =
                Scenes.of(
                        List.of(
                                one.withProperties(new float[1][2]),
                                one.withProperties(new float[1][3])));
        String lengths = message(dataset(ragged).optProperties(3).build(), manager);
        assertTrue(lengths.contains("must have as many properties"), lengths);
    }

    private static String message(SceneDataset dataset, NDManager manager) {
        Throwable e =
                assertThrows(
                        RuntimeException.class,
                        () -> {
                            for (Batch batch : dataset.getData(manager)) {
                                batch.close();
                            }
                        });
        return e.getMessage() + (e.getCause() == null ? "" : e.getCause().getMessage());
    }
}
