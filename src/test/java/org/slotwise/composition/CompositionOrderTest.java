package org.slotwise.composition;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.distance.FeatureStatistics;
import org.slotwise.distance.FrechetDistance;
import org.slotwise.distance.KernelDistance;
import org.slotwise.distance.KernelSubsets;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryOutput;

/**
 * A whole way with a trained model: library, compositions, distances. Real scenes are nearer to
 * other real ones than reconstructions are, those nearer than compositions, and all of them nearer
 * than scenes with shuffled pixels.
 */
class CompositionOrderTest {

    private static final int COUNT = 80;
    private static final int BATCH = 16;

    @Test
    void distancesAreInTheOrderOfWhatIsCompared() throws IOException {
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped("tetrominoes");
                NDManager manager = model.model().getNDManager().newSubManager()) {
            int side = model.configuration().imageHeight();
            ParameterStore store = new ParameterStore(manager, false);
            float mean = (float) model.configuration().colours().mean();
            float deviation = (float) model.configuration().colours().deviation();
            Scenes scenes = Tetrominoes.builder().setSize(2 * COUNT).optSeed(3).build();
            NDArray one = images(manager, scenes.range(0, COUNT), side, false);
            NDArray other = images(manager, scenes.range(COUNT, 2 * COUNT), side, false);
            NDArray shuffled = images(manager, scenes.range(COUNT, 2 * COUNT), side, true);

            NDList reconstructions = new NDList();
            NDList slots = new NDList();
            NDList shares = new NDList();
            for (int i = 0; i < COUNT; i += BATCH) {
                ObjectDiscoveryOutput found =
                        model.block().discover(store, other.get("{}:{}", i, i + BATCH), false);
                reconstructions.add(found.reconstruction());
                slots.add(found.slots().objects().concat(found.slotPositions(), 2));
                shares.add(found.masks().mean(new int[] {3}).mean(new int[] {2}));
            }
            SlotLibrary library =
                    SlotLibrary.of(
                            NDArrays.concat(slots, 0),
                            NDArrays.concat(shares, 0),
                            LibraryOptions.builder().build());
            Composition made = library.compose(COUNT, CompositionRule.onePerCluster(), 5);
            SlotRenderer renderer =
                    SlotRenderer.of(
                            (ShapeAndColourDecoder) model.block().parts().get("decoder"), store);
            NDList compositions = new NDList();
            for (int i = 0; i < COUNT; i += BATCH) {
                NDArray images = made.images(manager, renderer, i, i + BATCH);
                compositions.add(images.mul(deviation).add(mean));
            }

            FeatureExtractor encoder = (FeatureExtractor) model.block().parts().get("encoder");
            List<NDArray> sets =
                    List.of(
                            other,
                            NDArrays.concat(reconstructions, 0),
                            NDArrays.concat(compositions, 0),
                            shuffled);
            NDArray real = features(encoder, store, one.sub(mean).div(deviation));
            List<Double> frechet = new ArrayList<>();
            List<Double> kernel = new ArrayList<>();
            for (NDArray set : sets) {
                NDArray its = features(encoder, store, set.sub(mean).div(deviation));
                frechet.add(FrechetDistance.of(real, its).value());
                kernel.add(KernelDistance.of(real, its, KernelSubsets.STANDARD).value());
            }
            String all = frechet + " and " + kernel;
            for (int i = 1; i < sets.size(); i++) {
                assertTrue(frechet.get(i - 1) < frechet.get(i), all);
                assertTrue(kernel.get(i - 1) < kernel.get(i), all);
            }
            FeatureStatistics statistics = FeatureStatistics.of(real);
            assertTrue(statistics.count() == COUNT);
        }
    }

    private static NDArray images(NDManager manager, Scenes scenes, int side, boolean shuffle)
            throws IOException {
        PictureFeatures pixels =
                PictureFeatures.of(
                        side,
                        side,
                        "pixels",
                        images -> images.reshape(images.getShape().get(0), -1));
        List<Scene> all = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            Scene scene = scenes.get(i);
            all.add(shuffle ? shuffled(scene, i) : scene);
        }
        return pixels.extract(manager, all).reshape(new Shape(all.size(), 3, side, side));
    }

    private static Scene shuffled(Scene scene, int seed) {
        int pixels = scene.height() * scene.width();
        int[] order = new Random(seed).ints(0, pixels).distinct().limit(pixels).toArray();
        byte[] image = new byte[3 * pixels];
        for (int i = 0; i < pixels; i++) {
            System.arraycopy(scene.image(), 3 * order[i], image, 3 * i, 3);
        }
        return new Scene(scene.height(), scene.width(), image);
    }

    private static NDArray features(FeatureExtractor encoder, ParameterStore store, NDArray x) {
        NDList parts = new NDList();
        for (long i = 0; i < x.getShape().get(0); i += BATCH) {
            NDArray some = x.get("{}:{}", i, i + BATCH);
            parts.add(encoder.extract(store, some, false).features().mean(new int[] {1}));
        }
        return NDArrays.concat(parts, 0);
    }
}
