package org.slotwise.clustering;

import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.torchscript.TorchScript;

/** k-means in TorchScript gives every feature to the same cluster as in Java. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class KMeansScriptTest {

    @TempDir Path folder;

    private void assertSameMembers(KMeans kMeans, NDManager manager, NDArray... inputs)
            throws Exception {
        TorchScript.of(kMeans.script()).write(folder.resolve("k.pt"));
        try (Model model = Model.newInstance("k", OnDevice.device(), "PyTorch")) {
            model.load(folder, "k.pt", Map.of());
            for (NDArray features : inputs) {
                NDArray found =
                        model.getBlock()
                                .forward(
                                        new ParameterStore(manager, false),
                                        new NDList(features),
                                        false)
                                .head();
                Tensors.assertSame("members", kMeans.partition(features, null).members(), found);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "7, 3, 300",
        "1, 1, 300",
        "2, 10, 300",
        "20, 2, 300",
        "5, 1, 1",
        "5, 2, 2",
        "5, 3, 7"
    })
    void givesTheSameClusters(int clusters, int starts, int most, NDManager manager)
            throws Exception {
        KMeans kMeans =
                new KMeans(
                        clusters,
                        KMeansOptions.builder()
                                .optNInit(starts)
                                .optMaxIter(most)
                                .optSeed(clusters)
                                .build());
        assertSameMembers(
                kMeans,
                manager,
                Tensors.normal(manager, 1, DataType.FLOAT32, 3, 200, 3),
                Tensors.uniform(manager, 2, DataType.FLOAT32, 1, 400, 2),
                Tensors.normal(manager, 3, DataType.FLOAT64, 2, 20, 5).add(3));
    }

    /** Fewer different features than clusters: emptied ones take over, or stay empty. */
    @ParameterizedTest
    @CsvSource({"2", "4", "8"})
    void fillsEmptiedClustersAlike(int different, NDManager manager) throws Exception {
        KMeans kMeans =
                new KMeans(6, KMeansOptions.builder().optNInit(4).optSeed(different).build());
        NDArray few = Tensors.uniform(manager, different, DataType.FLOAT64, 1, different, 3);
        NDArray features = few.tile(new long[] {2, 10, 1});
        assertSameMembers(kMeans, manager, features, features.mul(0));
    }

    /** One far feature, in one of two images, and then more of them than the origin minds. */
    @Test
    void knowsFarFeatures(NDManager manager) throws Exception {
        KMeans kMeans =
                new KMeans(5, KMeansOptions.builder().optNInit(2).optTol(1e-9).optSeed(1).build());
        NDArray one = Tensors.normal(manager, 1, DataType.FLOAT64, 2, 700, 4);
        one.set(new NDIndex("1, 30, 2"), 1e15);
        NDArray some = Tensors.normal(manager, 2, DataType.FLOAT64, 2, 700, 4);
        some.set(new NDIndex("0, 100:150, 1"), 1e5);
        assertSameMembers(kMeans, manager, one, some, one.toType(DataType.FLOAT32, true).div(1e7));
    }

    @Test
    void refusesWhatIsDrawnAnew() {
        assertRefused(
                "KMeans: k-means without a seed cannot be written in TorchScript",
                () -> new KMeans(2, KMeansOptions.builder().build()).script());
        assertRefused(
                "KMeans: starts at random cannot be written in TorchScript",
                () ->
                        new KMeans(
                                        2,
                                        KMeansOptions.builder()
                                                .optSeed(1)
                                                .optInit(KMeansOptions.Init.RANDOM)
                                                .build())
                                .script());
        assertRefused(
                "KMeans: normalised features cannot be written in TorchScript",
                () ->
                        new KMeans(2, KMeansOptions.builder().optSeed(1).build())
                                .onNormalisedFeatures()
                                .script());
    }
}
