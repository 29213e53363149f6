package org.slotwise.distance;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * Mean and covariance of features that come batch by batch: memory does not grow with their number.
 *
 * <p>Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
 * sample variances" (1982), in float64.
 *
 * <pre>{@code
 * delta   = mean of the batch - mean
 * mean    = mean + delta B / (n + B)
 * scatter = scatter + scatter of the batch + delta deltaᵀ n B / (n + B)
 * n       = n + B;     covariance = scatter / (n - 1)
 * }</pre>
 *
 * <p>In what order and in which batches features come changes the result by rounding alone. Not for
 * several threads at once: let each have its own, and merge them. Close it.
 */
public final class FeatureMoments implements AutoCloseable {

    private static final String WHO = "FeatureMoments";

    private final NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    private long count;
    private @Nullable NDArray mean; // (1, d)
    private @Nullable NDArray scatter; // (d, d)

    /** Begins with no features; the first that come say how large they are. */
    public FeatureMoments() {}

    /**
     * Adds the features of some pictures.
     *
     * @param features (B, d), float32, float64 or float16, on any device
     * @return this
     * @throws IllegalArgumentException if they have another shape or type, are not finite or a row
     *     is above 1e150 in size (the error names the row, counted over all that was added), or are
     *     of another size than those before
     */
    public FeatureMoments add(NDArray features) {
        requireOpen();
        FeatureRows.check(WHO, "features", features, count);
        long d = features.getShape().get(1);
        Limits.numbers(WHO, "covariance", d, d);
        if (mean != null) {
            Check.last(WHO, "features", features, mean.getShape().get(1));
        }
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray x =
                                features.toDevice(Device.cpu(), true)
                                        .toType(DataType.FLOAT64, true);
                        NDArray its = x.mean(new int[] {0}, true);
                        NDArray centred = x.sub(its);
                        NDArray square = centred.transpose().matMul(centred);
                        include(scope, x.getShape().get(0), its, square);
                        return x;
                    }
                });
        own();
        return this;
    }

    /**
     * Adds what another one has seen.
     *
     * @param other which stays as it is
     * @return this
     * @throws IllegalArgumentException if its features are of another size
     */
    public FeatureMoments merge(FeatureMoments other) {
        requireOpen();
        other.requireOpen();
        if (other.mean == null || other.scatter == null) {
            return this;
        }
        NDArray its = other.mean;
        NDArray square = other.scatter;
        if (mean != null) {
            FeatureRows.sameDim(WHO, mean.getShape().get(1), its.getShape().get(1));
        }
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        include(scope, other.count, its.duplicate(), square.duplicate());
                        return its;
                    }
                });
        own();
        return this;
    }

    /** Takes the state out of a scope that the caller may have open. */
    private void own() {
        if (mean != null && scatter != null) {
            NDScope.unregister(mean);
            NDScope.unregister(scatter);
        }
    }

    private void include(Scope scope, long size, NDArray its, NDArray square) {
        if (mean == null || scatter == null) {
            mean = scope.keep(its, manager);
            scatter = scope.keep(square, manager);
            count = size;
            return;
        }
        double all = (double) count + size;
        NDArray delta = its.sub(mean);
        NDArray weight = Scalars.like(delta, count / all * size);
        NDArray between = delta.transpose().matMul(delta.mul(weight));
        scatter.addi(square).addi(between);
        mean.addi(delta.mul(Scalars.like(delta, size / all)));
        count += size;
    }

    /**
     * How many pictures' features were added.
     *
     * @return n
     */
    public long count() {
        return count;
    }

    /**
     * Mean and covariance of all that was added.
     *
     * @return the statistics, which stay as they are when more is added
     * @throws IllegalStateException if there are fewer than two pictures
     */
    @SuppressWarnings("try") // the scope works by being open
    public FeatureStatistics statistics() {
        requireOpen();
        if (mean == null || scatter == null || count < 2) {
            throw new IllegalStateException(
                    WHO + ": statistics are of at least 2 pictures, got " + count);
        }
        NDArray squares = scatter;
        NDArray average = mean;
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray covariance = squares.div(Scalars.like(squares, count - 1.0));
                        return new FeatureStatistics(
                                count, average.toDoubleArray(), covariance.toDoubleArray());
                    }
                });
    }

    private void requireOpen() {
        if (!manager.isOpen()) {
            throw new IllegalStateException(WHO + ": it is closed");
        }
    }

    /** Frees the memory. */
    @Override
    public void close() {
        manager.close();
    }
}
