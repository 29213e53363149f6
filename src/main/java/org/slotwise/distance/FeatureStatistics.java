package org.slotwise.distance;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.weights.StateDict;

/**
 * Mean and covariance of the features of a set of pictures: all that the Fréchet distance needs of
 * it, and what the files of statistics hold that clean-fid and pytorch-fid write and read.
 *
 * <p>A file is numpy's npz with {@code mu} (d) and {@code sigma} (d, d) in float64, and in ours
 * {@code count}, the number of pictures, which the others pass over. A file says nothing of the
 * network whose features they are: two files are comparable only if they come from one.
 */
public final class FeatureStatistics {

    private static final String WHO = "FeatureStatistics";
    private static final String MEAN = "mu";
    private static final String COVARIANCE = "sigma";
    private static final String COUNT = "count";

    /** By how much entries that should be equal may differ, in relation to the largest. */
    private static final double ASYMMETRY = 1e-6;

    private final long count;
    private final double[] mean; // (d)
    private final double[] covariance; // (d, d)

    FeatureStatistics(long count, double[] mean, double[] covariance) {
        this.count = count;
        this.mean = mean;
        this.covariance = covariance;
    }

    /**
     * The statistics of features that are there at once.
     *
     * @param features (n, d), at least two rows; float32, float64 or float16
     * @return mean and covariance, with n - 1, in float64
     * @throws IllegalArgumentException if they have another shape or type, are fewer than two, not
     *     finite, or a row is above 1e150 in size
     */
    public static FeatureStatistics of(NDArray features) {
        FeatureRows.check(WHO, "features", features, 0);
        FeatureRows.atLeastTwo(WHO, "features", features.getShape().get(0));
        try (FeatureMoments moments = new FeatureMoments()) {
            return moments.add(features).statistics();
        }
    }

    /**
     * Reads a file.
     *
     * @param path an npz file with {@code mu} and {@code sigma}
     * @return its statistics; a count of 0 if the file has none
     * @throws IOException if it cannot be read, is damaged or of another format, or what it holds
     *     are no statistics; the message names the file and what is wrong
     */
    public static FeatureStatistics read(Path path) throws IOException {
        try (StateDict file = StateDict.read(path)) {
            for (String name : new String[] {MEAN, COVARIANCE}) {
                require(path, file.names().contains(name), "there is no " + name);
            }
            Shape mu = file.get(MEAN).getShape();
            Shape sigma = file.get(COVARIANCE).getShape();
            // numpy.cov of one feature is a number, not a matrix
            boolean single = sigma.dimension() == 0 && mu.size() == 1;
            require(
                    path,
                    mu.dimension() == 1
                            && mu.size() > 0
                            && (single || sigma.equals(new Shape(mu.get(0), mu.get(0)))),
                    "mu must be (d) and sigma (d, d), got " + mu + " and " + sigma);
            double[] mean = numbers(path, file, MEAN, FeatureRows.LARGEST);
            double[] covariance = numbers(path, file, COVARIANCE, FeatureRows.LARGEST_SQUARE);
            requireSymmetric(path, covariance, mean.length);
            FeatureStatistics read = new FeatureStatistics(count(path, file), mean, covariance);
            read.requireCovariance(path);
            return read;
        }
    }

    /** A matrix that is none gives a distance all the same, and a wrong one. */
    @SuppressWarnings("try") // the scope works by being open
    private void requireCovariance(Path path) throws IOException {
        double least;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Scope scope = new Scope()) {
            least = NoGraph.during(() -> CovarianceFactor.shortfall(covariance(manager)));
        }
        require(
                path,
                least >= 0,
                "sigma must be positive semi-definite, and has an eigenvalue of "
                        + String.format(Locale.ROOT, "%.3g", least));
    }

    private static long count(Path path, StateDict file) throws IOException {
        if (!file.names().contains(COUNT)) {
            return 0;
        }
        NDArray count = file.get(COUNT);
        require(
                path,
                count.size() == 1 && count.getDataType() == DataType.INT64,
                "count must be a whole number, got " + count.getShape());
        long pictures = count.toLongArray()[0];
        require(path, pictures >= 2, "count must be at least 2, got " + pictures);
        return pictures;
    }

    private static double[] numbers(Path path, StateDict file, String name, double most)
            throws IOException {
        NDArray array = file.get(name);
        require(path, array.getDataType().isFloating(), name + " must be floating-point numbers");
        double[] numbers = Ops.read(array);
        for (double number : numbers) {
            require(path, Double.isFinite(number), name + " must be finite, got " + number);
            require(
                    path,
                    Math.abs(number) <= most,
                    name + " must be at most " + most + " in size, got " + number);
        }
        return numbers;
    }

    private static void requireSymmetric(Path path, double[] covariance, int d) throws IOException {
        double largest = 0;
        for (double value : covariance) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < i; j++) {
                double difference = Math.abs(covariance[i * d + j] - covariance[j * d + i]);
                require(
                        path,
                        difference <= ASYMMETRY * largest,
                        "sigma must be symmetric, and is not at " + i + ", " + j);
            }
            require(
                    path,
                    covariance[i * d + i] >= 0,
                    "sigma has a variance below 0, at " + i + ", " + i);
        }
    }

    private static void require(Path path, boolean fine, String otherwise) throws IOException {
        if (!fine) {
            throw new IOException(WHO + ": " + path + ": " + otherwise);
        }
    }

    /**
     * Writes a file, which clean-fid and pytorch-fid read too. Whatever fails, the old file or the
     * new one is there, never a part.
     *
     * @param path a path that ends in ".npz"
     * @throws IOException if it cannot be written
     * @throws IllegalArgumentException if the path has another ending
     */
    public void write(Path path) throws IOException {
        Check.option(
                path.toString().endsWith(".npz"), WHO + ": the file must end in .npz, got " + path);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Map<String, NDArray> arrays = new LinkedHashMap<>();
            arrays.put(MEAN, mean(manager));
            arrays.put(COVARIANCE, covariance(manager));
            if (count > 0) {
                arrays.put(COUNT, manager.create(count));
            }
            StateDict.of(arrays).write(path);
        }
    }

    /**
     * Of how many pictures these are.
     *
     * @return n; 0 if the file that they come from does not say
     */
    public long count() {
        return count;
    }

    /**
     * The size of features.
     *
     * @return d
     */
    public int featureDim() {
        return mean.length;
    }

    /**
     * The mean.
     *
     * @param manager what owns the result
     * @return (d) float64
     */
    public NDArray mean(NDManager manager) {
        return manager.create(mean);
    }

    /**
     * The covariance.
     *
     * @param manager what owns the result
     * @return (d, d) float64
     */
    public NDArray covariance(NDManager manager) {
        return manager.create(covariance, new Shape(mean.length, mean.length));
    }

    CovarianceFactor factor(NDManager manager) {
        return CovarianceFactor.of(mean(manager), covariance(manager), count);
    }
}
