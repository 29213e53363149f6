package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Features in the form that distances are best computed in: at most float32 wide becomes float32,
 * normalised if asked for, with mean 0 for each image.
 */
final class CentredFeatures {

    /**
     * Outside these, squares in float32, and what is computed with them, may be beyond its range.
     */
    private static final double LARGEST = 1e20;

    private static final double SMALLEST = 1e-20;

    private static final double NORM_EPS = 1e-12;

    /** (B, N, F). */
    final NDArray values;

    /** ||x||² of each: (B, N). */
    final NDArray squares;

    /** What was subtracted: (B, 1, F). */
    final NDArray mean;

    /** The centres that came with the features, in the same form: (B, K, F); null if none did. */
    final @Nullable NDArray centers;

    /** For each image, the mean of the variances of its F elements. */
    final double[] variance;

    private CentredFeatures(NDArray x, @Nullable NDArray centers) {
        mean = x.mean(new int[] {1}, true);
        values = x.sub(mean);
        squares = squares(values);
        this.centers = centers == null ? null : centers.sub(mean);
        Shape shape = x.getShape();
        variance = Ops.read(squares.sum(new int[] {1}));
        for (int b = 0; b < variance.length; b++) {
            variance[b] /= (double) (shape.get(1) * shape.get(2));
        }
    }

    /**
     * Prepares features.
     *
     * @param who who complains
     * @param given what the centres are called in errors
     * @param features (B, N, F)
     * @param centers (B, K, F) or null
     * @param normalise whether to scale each feature to norm 1
     */
    static CentredFeatures of(
            String who,
            String given,
            NDArray features,
            @Nullable NDArray centers,
            boolean normalise) {
        boolean wide = features.getDataType() == DataType.FLOAT64;
        NDArray x = features.toType(wide ? DataType.FLOAT64 : DataType.FLOAT32, false);
        NDArray c = centers == null ? null : centers.toType(x.getDataType(), false);
        NDArray squares = squares(x);
        if (!wide && !(moderate(x, squares) && (c == null || moderate(c, squares(c))))) {
            x = x.toType(DataType.FLOAT64, false);
            c = c == null ? null : c.toType(DataType.FLOAT64, false);
            squares = squares(x);
            wide = true;
        }
        if (wide) {
            requireFinite(who, "features", squares);
            if (c != null) {
                requireFinite(who, given, squares(c));
            }
        }
        if (normalise) {
            NDArray norm = squares.sqrt().maximum(Scalars.like(squares, NORM_EPS));
            x = x.div(norm.expandDims(2));
        }
        return new CentredFeatures(x, c);
    }

    private static NDArray squares(NDArray x) {
        // Without an array as large as x, which would cost more than the arithmetic.
        NDArray norm = x.norm(2, new int[] {2}, false);
        return norm.muli(norm);
    }

    /** Whether float32 holds the squares of all images well. */
    private static boolean moderate(NDArray x, NDArray squares) {
        double[] sums = Ops.read(squares.sum(new int[] {1}));
        double[] sizes = null;
        for (int b = 0; b < sums.length; b++) {
            if (sums[b] == 0) {
                // All zero, or so small that all squares vanish.
                sizes = sizes == null ? Ops.read(x.abs().sum(new int[] {1, 2})) : sizes;
                if (sizes[b] > 0) {
                    return false;
                }
            } else if (!(sums[b] > SMALLEST && sums[b] < LARGEST)) {
                return false;
            }
        }
        return true;
    }

    private static void requireFinite(String who, String what, NDArray squares) {
        double[] sums = Ops.read(squares.sum(new int[] {1}));
        for (int b = 0; b < sums.length; b++) {
            if (!(sums[b] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        who
                                + ": "
                                + what
                                + " of image "
                                + b
                                + " must be finite, and so must their squares in float64");
            }
        }
    }
}
