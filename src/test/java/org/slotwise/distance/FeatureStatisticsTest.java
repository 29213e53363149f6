package org.slotwise.distance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class FeatureStatisticsTest {

    @TempDir private Path folder;

    @Test
    void whatIsWrittenIsRead(NDManager manager) throws IOException {
        NDArray x = Tensors.normal(manager, 1, 12, 5);
        FeatureStatistics statistics = FeatureStatistics.of(x);
        Path file = folder.resolve("real.npz");
        statistics.write(file);
        FeatureStatistics read = FeatureStatistics.read(file);
        assertEquals(12, read.count());
        assertEquals(5, read.featureDim());
        Tensors.assertSame("mean", statistics.mean(manager), read.mean(manager));
        Tensors.assertSame("sigma", statistics.covariance(manager), read.covariance(manager));
        assertArrayEquals(new String[] {"real.npz"}, folder.toFile().list());
        try (StateDict names = StateDict.read(file)) {
            assertEquals(DataType.FLOAT64, names.get("mu").getDataType());
            assertEquals(new Shape(5, 5), names.get("sigma").getShape());
        }
        assertRefused(
                "FeatureStatistics: the file must end in .npz, got real.txt",
                () -> statistics.write(Path.of("real.txt")));
    }

    /** Files of clean-fid and pytorch-fid have no count; numpy.cov of one feature is a number. */
    @Test
    void othersFilesAreRead(NDManager manager) throws IOException {
        NDArray x = Tensors.normal(manager, 1, DataType.FLOAT64, 12, 3);
        FeatureStatistics statistics = FeatureStatistics.of(x);
        FeatureStatistics read =
                read(statistics.mean(manager), statistics.covariance(manager), null);
        assertEquals(0, read.count());
        FrechetDistance found = FrechetDistance.of(read, statistics);
        assertEquals(0, found.value(), 1e-9);
        assertEquals(0, found.first());
        assertEquals(12, found.second());
        NDArray single = manager.create(4d);
        FeatureStatistics one = read(manager.create(new double[] {2}), single, null);
        assertEquals(4, one.covariance(manager).getDouble(0, 0));
    }

    private FeatureStatistics read(NDArray mu, NDArray sigma, NDArray count) throws IOException {
        Path file = folder.resolve("file.npz");
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        arrays.put("mu", mu);
        arrays.put("sigma", sigma);
        if (count != null) {
            arrays.put("count", count);
        }
        StateDict.of(arrays).write(file);
        return FeatureStatistics.read(file);
    }

    @Test
    void filesThatAreNoStatisticsAreRefused(NDManager manager) throws IOException {
        NDArray mu = manager.create(new double[] {1, 2});
        NDArray good = manager.create(new double[] {2, 1, 1, 3}, new Shape(2, 2));
        assertWrong("sigma (d, d), got (2) and (1, 4)", mu, good.reshape(1, 4));
        assertWrong("mu must be (d)", mu.reshape(1, 2), good);
        NDArray skew = manager.create(new double[] {2, 1, 0, 3}, new Shape(2, 2));
        assertWrong("sigma must be symmetric, and is not at 1, 0", mu, skew);
        NDArray negative = manager.create(new double[] {2, 0, 0, -3}, new Shape(2, 2));
        assertWrong("sigma has a variance below 0, at 1, 1", mu, negative);
        NDArray indefinite = manager.create(new double[] {1, 2, 2, 1}, new Shape(2, 2));
        assertWrong(
                "sigma must be positive semi-definite, and has an eigenvalue of -1.00",
                mu,
                indefinite);
        NDArray nan = manager.create(new double[] {2, Double.NaN, 0, 3}, new Shape(2, 2));
        assertWrong("sigma must be finite, got NaN", mu, nan);
        assertWrong("mu must be at most 1.0E150 in size, got 5.0E150", mu.mul(5e150), good);
        assertWrong("sigma must be at most 1.0E300 in size, got 1.5E300", mu, good.mul(5e299));
        // No scale hides what is no covariance, and none makes one of it.
        for (double scale : new double[] {1e-300, 1e-160, 1e100, 1e160, 1e299}) {
            NDArray other = manager.create(scale);
            read(mu, good.mul(other), null);
            assertWrong("sigma must be positive semi-definite", mu, indefinite.mul(other));
        }
        assertWrong("mu must be floating", mu.toType(DataType.INT64, true), good);
        IOException count =
                assertThrows(IOException.class, () -> read(mu, good, manager.create(1L)));
        assertTrue(count.getMessage().contains("count must be at least 2, got 1"));

        Path file = folder.resolve("other.npz");
        StateDict.of(Map.of("mu", mu)).write(file);
        IOException missing = assertThrows(IOException.class, () -> FeatureStatistics.read(file));
        assertEquals("FeatureStatistics: " + file + ": there is no sigma", missing.getMessage());

        byte[] whole = Files.readAllBytes(file);
        for (int length : new int[] {0, 10, whole.length / 2, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThrows(IOException.class, () -> FeatureStatistics.read(file));
        }
    }

    /** Singular ones are the rule for few pictures, and sums in float32 go a little below 0. */
    @Test
    void roundingIsNoFault(NDManager manager) throws IOException {
        NDArray mu = manager.zeros(new Shape(40), DataType.FLOAT64);
        for (int pictures : new int[] {2, 5, 39}) {
            NDArray x = Tensors.normal(manager, pictures, pictures, 40);
            NDArray wide = FeatureStatistics.of(x).covariance(manager);
            NDArray narrow = wide.toType(DataType.FLOAT32, true);
            assertEquals(40, read(mu, wide, null).featureDim());
            FeatureStatistics rounded = read(mu.toType(DataType.FLOAT32, true), narrow, null);
            double distance = FrechetDistance.of(rounded, read(mu, wide, null)).value();
            assertEquals(0, distance, 1e-3);
        }
        read(mu, manager.zeros(new Shape(40, 40), DataType.FLOAT64), null);
        // A variance in one direction that is below 0 by a thousandth of the largest is none.
        NDArray wide = FeatureStatistics.of(Tensors.normal(manager, 1, 5, 40)).covariance(manager);
        NDArray less = manager.eye(40).toType(DataType.FLOAT64, true).mul(0.03);
        assertWrong("sigma must be positive semi-definite", mu, wide.sub(less));
    }

    private void assertWrong(String message, NDArray mu, NDArray sigma) {
        IOException e = assertThrows(IOException.class, () -> read(mu, sigma, null));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains("file.npz"), e.getMessage());
    }

    @Test
    void aFileStaysWhereTheNewOneCannotBeWritten(NDManager manager) throws IOException {
        FeatureStatistics statistics = FeatureStatistics.of(Tensors.normal(manager, 1, 4, 2));
        Path nowhere = folder.resolve("no-folder").resolve("a.npz");
        assertThrows(IOException.class, () -> statistics.write(nowhere));
        assertRefused(
                "FeatureStatistics: features must be of at least 2 pictures, got 1",
                () -> FeatureStatistics.of(Tensors.normal(manager, 1, 1, 2)));
    }
}
