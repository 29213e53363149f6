package org.slotwise.distance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Beside clean-fid and the exact value: {@code resources/distance}. */
@ExtendWith(OnDevice.class)
class FrechetDistanceTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("distance", "Frechet distance");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isExactAndNearCleanFids(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        NDArray first = arrays.get("in/features1");
        NDArray second = arrays.get("in/features2");
        double exact = arrays.get("out/exact").getDouble();
        double theirs = arrays.get("out/fid").getDouble();

        FrechetDistance found = FrechetDistance.of(first, second);
        double scale = scale(arrays);
        assertEquals(exact, found.value(), 1e-9 * Math.abs(exact) + 1e-14 * scale);
        if (Double.isNaN(theirs)) {
            assertEquals("fid_one_dimension", reference.toString());
        } else {
            assertEquals(theirs, found.value(), 2e-6);
        }
        assertEquals(first.getShape().get(0), found.first());
        assertEquals(second.getShape().get(0), found.second());

        FeatureStatistics one = FeatureStatistics.of(first);
        FeatureStatistics other = FeatureStatistics.of(second);
        FrechetDistance ofStatistics = FrechetDistance.of(one, other);
        assertEquals(exact, ofStatistics.value(), 1e-7 * Math.max(1, exact));
        assertEquals(found.first(), ofStatistics.first());
        double loose = first.getDataType() == DataType.FLOAT32 ? 1e-6 : 1e-12;
        NDArray mean = arrays.get("out/mu1").toType(DataType.FLOAT64, false).flatten();
        assertClose("mu", mean, one.mean(manager), loose);
        double[] sigma = Tensors.doubles(arrays.get("out/sigma1"));
        assertArrayEquals(sigma, Tensors.doubles(one.covariance(manager)), loose * scale + 1e-30);
    }

    /** The traces: what a distance is a difference of. */
    private static double scale(Map<String, NDArray> arrays) {
        double sum = 0;
        for (String name : new String[] {"out/sigma1", "out/sigma2"}) {
            for (double value : Tensors.doubles(arrays.get(name))) {
                sum = Math.max(sum, Math.abs(value));
            }
        }
        return sum * arrays.get("in/features1").getShape().get(1);
    }

    /** |mu1 - mu2|² + (s1 - s2)² of one feature, by hand. */
    @Test
    void ofOneFeatureIsThatOfTwoGaussians(NDManager manager) {
        NDArray first = manager.create(new double[] {1, 3}, new Shape(2, 1)); // mean 2, var 2
        NDArray second = manager.create(new double[] {0, 3, 6}, new Shape(3, 1)); // mean 3, var 9
        double expected = 1 + Math.pow(Math.sqrt(2) - 3, 2);
        assertEquals(expected, FrechetDistance.of(first, second).value(), 1e-14);
        assertEquals(expected, FrechetDistance.of(second, first).value(), 1e-14);
    }

    /** The largest numbers that are let in have a distance, and so have the smallest. */
    @Test
    void scalesOfFeaturesAreThoseOfTheDistance(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 20, 4);
        NDArray y = Tensors.normal(manager, 2, DataType.FLOAT64, 30, 4).add(1);
        double plain = FrechetDistance.of(x, y).value();
        for (double scale : new double[] {1e-140, 1e140, 1e148}) {
            NDArray s = manager.create(scale);
            double found = FrechetDistance.of(x.mul(s), y.mul(s)).value();
            assertEquals(plain, found / scale / scale, 1e-9 * plain);
            FeatureStatistics own = FeatureStatistics.of(x.mul(s));
            double of = FrechetDistance.of(own, FeatureStatistics.of(y.mul(s))).value();
            assertEquals(plain, of / scale / scale, 1e-7 * plain);
        }
    }

    @Test
    void typesMayDifferAndNothingIsLeftBehind(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 20, 4);
        NDArray y = Tensors.normal(manager, 2, DataType.FLOAT64, 30, 4);
        double wide = FrechetDistance.of(x.toType(DataType.FLOAT64, true), y).value();
        int before = manager.getManagedArrays().size();
        assertEquals(wide, FrechetDistance.of(x, y).value(), 1e-12);
        assertEquals(before, manager.getManagedArrays().size());
        FrechetDistance.of(x.toType(DataType.FLOAT16, true), y);
    }

    @Test
    void refusesWhatIsNoSet(NDManager manager) {
        NDArray good = Tensors.normal(manager, 1, 5, 3);
        assertRefused(
                "FrechetDistance: first must be of at least 2 pictures, got 1",
                () -> FrechetDistance.of(good.get("0:1"), good));
        assertRefused(
                "FrechetDistance: second must be of at least 2 pictures, got 1",
                () -> FrechetDistance.of(good, good.get("0:1")));
        assertRefused(
                "FrechetDistance: both sets must have features of one size, got 3 and 2",
                () -> FrechetDistance.of(good, good.get(":, 0:2")));
        assertRefused(
                "FrechetDistance: second must be (n, d), got (5)",
                () -> FrechetDistance.of(good, good.get(":, 0")));
        NDArray bad = good.duplicate();
        bad.set(new NDIndex("3, 1"), Float.NaN);
        bad.set(new NDIndex("4, 0"), Float.POSITIVE_INFINITY);
        assertRefused(
                "FrechetDistance: second must be finite, got NaN or infinity in row 3",
                () -> FrechetDistance.of(good, bad));
        NDArray large = good.toType(DataType.FLOAT64, true);
        large.set(new NDIndex("2, 1"), 1e160);
        assertRefused(
                "FrechetDistance: second must be at most 1e150 in size, all of a row together, for"
                        + " squares to be finite in float64, got more in row 2",
                () -> FrechetDistance.of(good, large));
        assertThrows(IllegalArgumentException.class, () -> FeatureStatistics.of(large));
        assertRefused(
                "FrechetDistance: first must be float32, float64 or float16, got int64",
                () -> FrechetDistance.of(good.toType(DataType.INT64, true), good));
        assertRefused(
                "FrechetDistance: both sets must have features of one size, got 3 and 2",
                () ->
                        FrechetDistance.of(
                                FeatureStatistics.of(good),
                                FeatureStatistics.of(good.get(":, 0:2"))));
    }

    /** Batches of any sizes, parts that are merged, and all at once. */
    @Test
    void momentsDoNotDependOnBatches(NDManager manager) {
        NDArray x = Tensors.normal(manager, 3, DataType.FLOAT64, 101, 7).add(1e4);
        FeatureStatistics all = FeatureStatistics.of(x);
        try (FeatureMoments one = new FeatureMoments();
                FeatureMoments two = new FeatureMoments();
                FeatureMoments none = new FeatureMoments();
                NDScope callers = new NDScope()) {
            callers.suppressNotUsedWarning();
            one.add(x.get("0:1")).add(x.get("1:2")).add(x.get("2:30"));
            two.add(x.get("30:31")).add(x.get("31:"));
            FeatureStatistics before = one.statistics();
            one.merge(two).merge(none);
            none.merge(one);
            assertEquals(101, one.count());
            assertEquals(71, two.count());
            assertEquals(30, before.count());
            for (FeatureMoments moments : new FeatureMoments[] {one, none}) {
                FeatureStatistics merged = moments.statistics();
                assertEquals(101, merged.count());
                assertClose("mean", all.mean(manager), merged.mean(manager), 1e-15);
                NDArray covariance = merged.covariance(manager);
                assertClose("covariance", all.covariance(manager), covariance, 1e-11);
            }
            // far from 0 a sum of squares would have lost all digits
            NDArray near = x.sub(1e4);
            assertClose(
                    "shifted",
                    FeatureStatistics.of(near).covariance(manager),
                    all.covariance(manager),
                    1e-11);
        }
    }

    /** A scope of the caller's, and a collection, between two batches. */
    @Test
    void momentsOutliveScopesOfTheCaller(NDManager manager) {
        NDArray x = Tensors.normal(manager, 3, 40, 5);
        try (FeatureMoments moments = new FeatureMoments()) {
            for (int i = 0; i < 40; i += 8) {
                try (NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    moments.add(x.get("{}:{}", i, i + 8));
                }
                System.gc();
            }
            NDArray expected = FeatureStatistics.of(x).covariance(manager);
            assertClose("covariance", expected, moments.statistics().covariance(manager), 1e-12);
        }
    }

    @Test
    void momentsSayWhatTheyCannotTake(NDManager manager) {
        NDArray x = Tensors.normal(manager, 3, 4, 5);
        FeatureMoments moments = new FeatureMoments();
        IllegalStateException few =
                assertThrows(
                        IllegalStateException.class, () -> moments.add(x.get("0:1")).statistics());
        assertEquals(
                "FeatureMoments: statistics are of at least 2 pictures, got 1", few.getMessage());
        assertRefused(
                "FeatureMoments: features must be (..., 5), got (4, 3)",
                () -> moments.add(x.get(":, 0:3")));
        NDArray bad = x.duplicate();
        bad.set(new NDIndex("2, 1"), Float.NaN);
        assertRefused(
                "FeatureMoments: features must be finite, got NaN or infinity in row 3",
                () -> moments.add(bad));
        assertEquals(1, moments.count());
        moments.close();
        assertThrows(IllegalStateException.class, () -> moments.add(x));
    }

    /** More features than pictures, at Inception's size: nothing complex, nothing negative. */
    @Test
    void fewPicturesOfManyFeatures(NDManager manager) {
        NDArray x = Tensors.normal(manager, 3, 40, 2048);
        NDArray y = Tensors.normal(manager, 4, 30, 2048).add(0.1f);
        double found = FrechetDistance.of(x, y).value();
        assertTrue(found > 2048 * 0.01, () -> "got " + found);
        assertEquals(0, FrechetDistance.of(x, x).value(), 1e-9);
    }
}
