package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * What the inputs of stick-breaking must be, and what is made of them before it begins.
 *
 * @param who the block that complains
 * @param featureDim F
 */
record StickBreakingInputs(String who, int featureDim) {

    private static final String FEATURES = FeatureExtractorOutput.FEATURES;
    private static final String POSITIONS = FeatureExtractorOutput.POSITIONS;

    void check(NDArray x, @Nullable NDArray uniform) {
        check(x, GroupingInputs.CONDITIONING, uniform);
    }

    /** The same where the draw has another name. */
    void check(NDArray x, String what, @Nullable NDArray uniform) {
        Check.shape(who, FEATURES, x, "B", "N", featureDim);
        Check.floating(who, FEATURES, x.getDataType());
        if (uniform != null) {
            Shape shape = x.getShape();
            Check.shape(who, what, uniform, shape.get(0), shape.get(1));
            Check.sameTypeAndDevice(who, what, uniform, FEATURES, x);
        }
    }

    /** The positions (N, P), checked. */
    NDArray positions(FeatureExtractorOutput features) {
        NDArray x = features.features();
        long n = x.getShape().get(1);
        NDArray positions = Check.shape(who, POSITIONS, features.positions(), n, "P");
        Check.sameTypeAndDevice(who, POSITIONS, positions, FEATURES, x);
        long p = positions.getShape().get(1);
        Check.option(
                p <= featureDim,
                who + ": positions must have at most " + featureDim + " coordinates, got " + p);
        return positions;
    }

    /** The draw U (B, N), made here if it did not come. */
    static NDArray uniform(NDArray x, @Nullable NDArray given) {
        return given == null ? Ops.uniform(x, x.getShape().get(0), x.getShape().get(1)) : given;
    }

    /** [0, 2 p - 1], (N, F), for positions p (N, P). */
    NDArray shift(NDArray positions) {
        NDArray coordinates = positions.add(positions).sub(Scalars.like(positions, 1));
        long rest = featureDim - positions.getShape().get(1);
        if (rest == 0) {
            return coordinates;
        }
        NDArray zeros = coordinates.get(":, 0:1").zerosLike();
        return zeros.broadcast(positions.getShape().get(0), rest).concat(coordinates, 1);
    }
}
