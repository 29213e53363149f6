package org.slotwise.distance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/** Checks of features, a row for each picture. */
final class FeatureRows {

    /** How large features may be, and means of them: sums of squares are finite in float64. */
    static final double LARGEST = 1e150;

    /** How large covariances of them may be. */
    static final double LARGEST_SQUARE = 1e300;

    private FeatureRows() {}

    /**
     * Requires features (n, d) that are numbers, of a type that is computed in.
     *
     * @param before how many rows of the same set came before, for the number in the error
     */
    static void check(String who, String what, NDArray features, long before) {
        Check.shape(who, what, features, "n", "d");
        Check.floating(who, what, features.getDataType());
        double[] sum = NoGraph.during(() -> sums(features));
        for (int i = 0; i < sum.length; i++) {
            if (!(sum[i] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        who
                                + ": "
                                + what
                                + " must be finite, got NaN or infinity in row "
                                + (before + i));
            }
            if (sum[i] > LARGEST) {
                throw new IllegalArgumentException(
                        who
                                + ": "
                                + what
                                + " must be at most 1e150 in size, all of a row together, for"
                                + " squares to be finite in float64, got more in row "
                                + (before + i));
            }
        }
    }

    @SuppressWarnings("try") // the scope works by being open
    private static double[] sums(NDArray features) {
        try (Scope scope = new Scope()) {
            NDArray wide = features.toType(DataType.FLOAT64, true);
            return Ops.read(wide.abs().sum(new int[] {1}));
        }
    }

    /** Requires two sets to have features of one size. */
    static void sameDim(String who, long first, long second) {
        Check.option(
                first == second,
                who
                        + ": both sets must have features of one size, got "
                        + first
                        + " and "
                        + second);
    }

    /** Requires at least two pictures. */
    static void atLeastTwo(String who, String what, long count) {
        Check.option(
                count >= 2, who + ": " + what + " must be of at least 2 pictures, got " + count);
    }
}
