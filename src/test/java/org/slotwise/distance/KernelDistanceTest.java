package org.slotwise.distance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Beside clean-fid, with the subsets that it drew: {@code resources/distance}. */
@ExtendWith(OnDevice.class)
class KernelDistanceTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("distance", "kernel distance");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isCleanFids(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        KernelDistance found =
                KernelDistance.of(
                        arrays.get("in/features1"),
                        arrays.get("in/features2"),
                        rows(arrays.get("in/indices1")),
                        rows(arrays.get("in/indices2")));
        double theirs = arrays.get("out/kid").getDouble();
        boolean narrow = arrays.get("in/features1").getDataType() == DataType.FLOAT32;
        assertEquals(theirs, found.value(), narrow ? 1e-6 : 1e-12 * Math.max(1, theirs));
        assertEquals(reference.integer("num_subsets"), found.subsets());
    }

    private static long[][] rows(NDArray indices) {
        long[] all = indices.toLongArray();
        int m = (int) indices.getShape().get(1);
        long[][] rows = new long[all.length / m][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(all, i * m, (i + 1) * m);
        }
        return rows;
    }

    /** The definition, sum by sum. */
    @Test
    void oneSubsetOfAllIsTheUnbiasedEstimate(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 6, 3);
        NDArray y = Tensors.normal(manager, 2, DataType.FLOAT64, 6, 3).add(0.5);
        double expected =
                pairs(x, x, true) / 30 + pairs(y, y, true) / 30 - 2 * pairs(x, y, false) / 36;
        KernelDistance found = KernelDistance.of(x, y, new KernelSubsets(7, 100, 3));
        assertEquals(expected, found.value(), 1e-12);
        assertEquals(1, found.subsets());
        assertEquals(6, found.subsetSize());
        assertEquals(0, found.standardError());
    }

    private static double pairs(NDArray x, NDArray y, boolean without) {
        double sum = 0;
        for (int i = 0; i < 6; i++) {
            for (int j = 0; j < 6; j++) {
                if (!(without && i == j)) {
                    double dot = x.get(i).mul(y.get(j)).sum().getDouble();
                    sum += Math.pow(dot / 3 + 1, 3);
                }
            }
        }
        return sum;
    }

    @Test
    void subsetsFollowFromTheSeed(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 50, 4);
        NDArray y = Tensors.normal(manager, 2, 40, 4);
        KernelDistance one = KernelDistance.of(x, y, new KernelSubsets(10, 15, 1));
        assertEquals(one, KernelDistance.of(x, y, new KernelSubsets(10, 15, 1)));
        assertNotEquals(one.value(), KernelDistance.of(x, y, new KernelSubsets(10, 15, 2)).value());
        assertTrue(one.standardError() > 0);
        assertEquals(10, one.subsets());
        assertEquals(15, one.subsetSize());
        assertEquals(50, one.first());
        assertEquals(40, one.second());
        // subsets average to the whole
        KernelDistance many = KernelDistance.of(x, y, new KernelSubsets(400, 30, 1));
        KernelDistance whole = KernelDistance.of(x.get("0:40"), y, KernelSubsets.STANDARD);
        assertEquals(1, whole.subsets());
        assertEquals(whole.value(), many.value(), 0.3);
    }

    @Test
    void subsetsHaveNoRowTwiceAndEveryRowSometimes() {
        KernelSubsets subsets = new KernelSubsets(500, 1000, 4);
        long[][] drawn = subsets.draw(0, 10, 3, 500);
        int[] count = new int[10];
        for (long[] subset : drawn) {
            assertEquals(3, Arrays.stream(subset).distinct().count());
            Arrays.stream(subset).forEach(row -> count[(int) row]++);
        }
        for (int c : count) {
            assertEquals(150, c, 50);
        }
    }

    @Test
    void refusesWhatIsNoSet(NDManager manager) {
        NDArray good = Tensors.normal(manager, 1, 5, 3);
        assertRefused(
                "KernelDistance: first must be of at least 2 pictures, got 1",
                () -> KernelDistance.of(good.get("0:1"), good, KernelSubsets.STANDARD));
        assertRefused(
                "KernelDistance: both sets must have features of one size, got 3 and 2",
                () -> KernelDistance.of(good, good.get(":, 0:2"), KernelSubsets.STANDARD));
        NDArray bad = good.duplicate();
        bad.set(new NDIndex("1, 1"), Float.NEGATIVE_INFINITY);
        assertRefused(
                "KernelDistance: first must be finite, got NaN or infinity in row 1",
                () -> KernelDistance.of(bad, good, KernelSubsets.STANDARD));
        NDArray large = good.toType(DataType.FLOAT64, true).mul(manager.create(1e60));
        assertRefused(
                "KernelDistance: features are so large that the kernel, a third power of their"
                        + " products, is not finite in float64",
                () -> KernelDistance.of(good, large, KernelSubsets.STANDARD));
        assertRefused(
                "KernelSubsets: size must be at least 2, got 1", () -> new KernelSubsets(2, 1, 0));
        assertRefused(
                "KernelSubsets: count must be at least 2, got 1", () -> new KernelSubsets(1, 2, 0));
    }

    /** While there is room all are kept, in order; then each is as likely as any other. */
    @Test
    void sampleIsUniform(NDManager manager) {
        int[] kept = new int[40];
        for (int seed = 0; seed < 300; seed++) {
            FeatureSample sample = new FeatureSample(10, seed);
            for (int i = 0; i < 40; i += 4) {
                sample.add(manager.arange(i, i + 4, 1, DataType.FLOAT32).reshape(4, 1));
                if (i == 4) {
                    assertEquals(8, sample.features(manager).getShape().get(0));
                    assertEquals(3, sample.features(manager).getFloat(3, 0));
                }
            }
            float[] rows = sample.features(manager).toFloatArray();
            assertEquals(10, rows.length);
            assertEquals(40, sample.count());
            for (float row : rows) {
                kept[(int) row]++;
            }
        }
        for (int count : kept) {
            assertEquals(75, count, 35);
        }
    }
}
