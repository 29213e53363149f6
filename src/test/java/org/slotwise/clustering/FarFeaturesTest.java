package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** A few features that are far from all others do not cost these their digits. */
@ExtendWith(OnDevice.class)
class FarFeaturesTest {

    /**
     * How many features are nearer to another centre than to their own, in float64 and with
     * differences, by more than the rounding of the centres in their type.
     */
    private static int wrong(NDArray features, KMeansClustering found, int image) {
        double[] x = Tensors.doubles(features.get(image));
        double[] c = Tensors.doubles(found.centers().get(image));
        long[] labels = found.labels().get(image).toLongArray();
        int size = x.length / labels.length;
        double ulp = features.getDataType() == DataType.FLOAT64 ? 0x1p-53 : 0x1p-24;
        int wrong = 0;
        for (int j = 0; j < labels.length; j++) {
            double nearest = Double.POSITIVE_INFINITY;
            double own = 0;
            double norm = 0;
            for (int k = 0; k < c.length / size; k++) {
                double square = 0;
                for (int f = 0; f < size; f++) {
                    double d = x[j * size + f] - c[k * size + f];
                    square += d * d;
                    norm += labels[j] == k ? c[k * size + f] * c[k * size + f] : 0;
                }
                nearest = Math.min(nearest, square);
                own = labels[j] == k ? square : own;
            }
            double rounding = 4 * ulp * Math.sqrt(norm * nearest);
            wrong += own > nearest * (1 + 1e-4) + rounding ? 1 : 0;
        }
        return wrong;
    }

    @ParameterizedTest
    @CsvSource({
        "FLOAT32, 500, 1e3",
        "FLOAT32, 500, 1e6",
        "FLOAT32, 500, 1e8",
        "FLOAT32, 500, 9e9",
        "FLOAT32, 500, 1e15",
        "FLOAT32, 9000, 1e8",
        "FLOAT32, 9000, 1e12",
        "FLOAT64, 500, 1e8",
        "FLOAT64, 500, 1e15",
        "FLOAT64, 500, 1e100",
        "FLOAT16, 500, 6e4"
    })
    void othersKeepTheirDigits(DataType type, int size, double value, NDManager manager) {
        NDArray near = Tensors.normal(manager, 1, DataType.FLOAT64, 3, size, 16);
        NDArray features = near.toType(type, true);
        features.set(new NDIndex("1, 7, 3"), value);
        features.set(new NDIndex("2, 9, 3"), value);
        features.set(new NDIndex("2, 300, 4"), -value);
        features.set(new NDIndex("2, 301, 3"), value);
        KMeansOptions options =
                KMeansOptions.builder().optNInit(2).optSeed(3).optTol(0).optMaxIter(40).build();
        KMeansClustering found = new KMeans(8, options).cluster(features, null);
        for (int image = 0; image < 3; image++) {
            assertEquals(0, wrong(features, found, image), "image " + image);
        }
    }

    /** Not few, but a group of their own: no origin is near to all. */
    @ParameterizedTest
    @CsvSource({"500, 1e4", "500, 1e8", "9000, 1e6", "9000, 1e7"})
    void groupsThatAreFarFromEachOther(int size, double distance, NDManager manager) {
        NDArray features = Tensors.normal(manager, 4, 2, size, 16);
        NDArray far = features.get(":, " + size * 3 / 5 + ":");
        far.muli(1000).addi(distance);
        KMeansOptions options =
                KMeansOptions.builder().optNInit(1).optSeed(3).optTol(0).optMaxIter(40).build();
        NDArray first = features.get(":, 0:5").concat(features.get(":, -1:"), 1);
        for (NDArray from : new NDArray[] {null, first}) {
            KMeansClustering found = new KMeans(6, options).cluster(features, from);
            assertEquals(DataType.FLOAT32, found.centers().getDataType());
            for (int image = 0; image < 2; image++) {
                assertEquals(0, wrong(features, found, image), "image " + image);
            }
        }
    }

    /** As flat colours are: nothing to be told apart, and no second run. */
    @Test
    void equalFeatures(NDManager manager) {
        NDArray few = Tensors.uniform(manager, 5, DataType.FLOAT32, 1, 4, 3);
        NDArray features = few.tile(new long[] {2, 300, 1});
        KMeansClustering found =
                new KMeans(4, KMeansOptions.builder().optSeed(1).build()).cluster(features, null);
        assertEquals(0, wrong(features, found, 0));
        assertEquals(0, Tensors.largest(found.inertia()), 1e-9);
        assertEquals(DataType.FLOAT32, computedIn(features));
        NDArray far = features.add(Tensors.normal(manager, 6, 2, 1200, 3));
        assertEquals(DataType.FLOAT32, computedIn(far));
        far.get(":, :600").addi(1e6);
        assertEquals(DataType.FLOAT64, computedIn(far));
    }

    private static DataType computedIn(NDArray features) {
        CentredFeatures input = CentredFeatures.of("k-means", "centers", features, null, false);
        KMeansOptions options = KMeansOptions.builder().optSeed(1).build();
        return KMeansStarts.run(input, 4, options, KMeansStarts.SCORES).centers().getDataType();
    }
}
