package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.internal.NoGraph;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** {@link Lloyd} with several starts for each image. */
@ExtendWith(OnDevice.class)
class LloydTest {

    /** By its gain the best start of an image is chosen: it must fit what the start came to. */
    @ParameterizedTest
    @ValueSource(strings = {"float64", "few_values", "fewer_values", "in_a_line", "pairs"})
    void gainsAreThoseOfTheCentersAndLabels(String name, NDManager manager) {
        Map<String, NDArray> arrays =
                ReferenceCase.under(name + "/", KMeansReferenceTest.read(manager));
        NoGraph.during(
                () -> {
                    CentredFeatures input =
                            CentredFeatures.of(
                                    "test", arrays.get("features"), arrays.get("centers"), false);
                    NDArray x = input.values; // (B, N, F)
                    NDArray given = input.centers; // (B, K, F)
                    // Two starts: the given centres, and all of them on the first.
                    NDArray first = given.get(":, 0:1").broadcast(given.getShape());
                    NDArray starts = given.expandDims(1).concat(first.expandDims(1), 1);
                    double[] tolerance = new double[(int) x.getShape().get(0)];
                    Lloyd.Result result = Lloyd.run(x, starts, tolerance, 300);
                    double[] labels = doubles(result.labels);
                    Shape s = starts.getShape();
                    double[] c = doubles(result.centers);
                    double[] points = doubles(x);
                    int size = (int) x.getShape().get(1);
                    int dim = (int) s.get(3);
                    for (int start = 0; start < result.gains.length; start++) {
                        double gain = 0;
                        for (int j = 0; j < size; j++) {
                            int k = (int) labels[start * size + j];
                            for (int f = 0; f < dim; f++) {
                                double v = c[(start * (int) s.get(2) + k) * dim + f];
                                gain += points[(start / 2 * size + j) * dim + f] * v - v * v / 2;
                            }
                        }
                        assertEquals(gain, result.gains[start], 1e-9 * (1 + Math.abs(gain)));
                    }
                    return result;
                });
    }
}
