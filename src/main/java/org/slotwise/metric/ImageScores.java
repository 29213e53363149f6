package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * A score for each image of a batch.
 *
 * @param values (B) float64, NaN for an image that is not counted
 * @param counted (B) boolean, false where an image has nothing to be scored, such as no object
 */
public record ImageScores(NDArray values, NDArray counted) implements AutoCloseable {

    /**
     * Scores of images.
     *
     * @param values (B) float64
     * @param counted (B) boolean
     * @throws IllegalArgumentException if they have another shape or type
     */
    public ImageScores {
        Check.shape("ImageScores", "values", values, "B");
        Check.type("ImageScores", "values", values, DataType.FLOAT64, "");
        Check.shape("ImageScores", "counted", counted, values.getShape().get(0));
        Check.type("ImageScores", "counted", counted, DataType.BOOLEAN, "");
    }

    /**
     * The mean over the images that are counted.
     *
     * @return a float64 number, shape (), in the values' manager; NaN if no image is counted, or if
     *     one that is has the value NaN
     */
    public NDArray mean() {
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        return scope.keep(sum().div(count()), values.getManager());
                    }
                });
    }

    /** The sum over the images that are counted and their number, read from the device. */
    @SuppressWarnings("try") // the scope works by being open
    double[] totals() {
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        return Ops.read(NDArrays.stack(new NDList(sum(), count())));
                    }
                });
    }

    private NDArray sum() {
        NDArray zero = Scalars.like(values, 0).broadcast(values.getShape());
        return NDArrays.where(counted, values, zero).sum();
    }

    private NDArray count() {
        return counted.toType(DataType.FLOAT64, false).sum();
    }

    /** Frees both arrays. */
    @Override
    public void close() {
        values.close();
        counted.close();
    }
}
