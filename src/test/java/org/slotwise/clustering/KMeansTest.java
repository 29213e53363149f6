package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** By itself, without a grouping around it; what it computes is tested with the grouping. */
@ExtendWith(OnDevice.class)
class KMeansTest {

    private static final KMeansOptions OPTIONS = KMeansOptions.builder().optSeed(5).build();

    private static NDArray corners(NDManager manager) {
        float[] points = {0, 0, 0, 1, 9, 9, 9, 8, 0, 9};
        return manager.create(points, new Shape(1, 5, 2));
    }

    @Test
    void findsClusters(NDManager manager) {
        KMeansClustering found = new KMeans(3, OPTIONS).cluster(corners(manager), null);
        long[] labels = found.labels().toLongArray();
        assertEquals(labels[0], labels[1]);
        assertEquals(labels[2], labels[3]);
        assertEquals(3, Arrays.stream(labels).distinct().count());
        assertEquals(1, doubles(found.inertia())[0], 1e-6); // two pairs, each half from its centre
    }

    @Test
    void membersAreTheLabels(NDManager manager) {
        NDArray features = Tensors.normal(manager, 2, DataType.FLOAT64, 2, 20, 3);
        KMeans kMeans = new KMeans(4, OPTIONS);
        KMeans.Partition partition = kMeans.partition(features, null);
        KMeansClustering clustering = kMeans.cluster(features, null);
        assertSame("centers", clustering.centers(), partition.centers());
        assertEquals(new Shape(2, 4, 20), partition.members().getShape());
        assertSame("labels", clustering.labels(), partition.members().argMax(1));
        double[] each = doubles(partition.members().sum(new int[] {1}));
        assertEquals(40, Arrays.stream(each).filter(sum -> sum == 1).count());
    }

    @Test
    void normalisesIfAskedFor(NDManager manager) {
        NDArray features = Tensors.normal(manager, 3, DataType.FLOAT64, 1, 20, 3);
        KMeansClustering found =
                new KMeans(20, OPTIONS).onNormalisedFeatures().cluster(features, null);
        for (double square : doubles(found.centers().square().sum(new int[] {2}))) {
            assertEquals(1, square, 1e-9);
        }
    }

    @Test
    void refusesInItsNameOrInAnothers(NDManager manager) {
        NDArray features = corners(manager);
        assertRefused("KMeans: clusters must be at least 1, got 0", () -> new KMeans(0, OPTIONS));
        KMeans kMeans = new KMeans(6, OPTIONS);
        assertRefused(
                "KMeans: features must be at least as many as clusters, N >= 6, got N = 5",
                () -> kMeans.cluster(features, null));
        NDArray broken = features.duplicate();
        broken.set(new NDIndex("0, 0, 0"), Float.NaN);
        assertRefused(
                "KMeans: features of image 0 must be finite, and so must their squares in float64",
                () -> new KMeans(2, OPTIONS).cluster(broken, null));
        assertRefused(
                "Palette: colours must be (1, 2, 2), got (1, 3, 2)",
                () ->
                        new KMeans(2, OPTIONS)
                                .speakingAs("Palette", "colours", "swatches")
                                .cluster(features, features.get(":, 0:3")));
    }
}
