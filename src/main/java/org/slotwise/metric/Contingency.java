package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Scalars;

/**
 * How many pixels each true group shares with each predicted one. All float64, in which these
 * counts and their squares are exact.
 *
 * @param shared (B, T, K), the pixels in both
 * @param area (B, T), the pixels of each true group, with those that no predicted group has
 * @param object (B, T), 1 where a true group is an object: it has a pixel, and is not a background
 *     that is left out; else 0
 */
record Contingency(NDArray shared, NDArray area, NDArray object) {

    /** Counts, inside a scope of the caller's. */
    static Contingency of(String who, Segmentations both, Background background) {
        NDArray t = Membership.of(who, "truth", both.truth()).transpose(0, 2, 1); // (B, T, N)
        NDArray p = Membership.of(who, "predicted", both.predicted()); // (B, N, K)
        NDArray shared = t.matMul(p).toType(DataType.FLOAT64, false);
        NDArray area = t.sum(new int[] {2}).toType(DataType.FLOAT64, false);
        NDArray object = area.neq(Scalars.like(area, 0)).toType(DataType.FLOAT64, false);
        if (background == Background.LEFT_OUT) {
            NDArray rank = object.onesLike().cumSum(1); // 1, 2, 3, ...
            object = object.mul(rank.gt(Scalars.like(rank, 1)).toType(DataType.FLOAT64, false));
        }
        return new Contingency(shared, area, object);
    }

    /**
     * Intersection over union of each true group with each predicted one, (B, T, K). Pixels of no
     * true group count for nobody.
     */
    NDArray intersectionOverUnion() {
        NDArray predictedArea = shared.sum(new int[] {1}, true);
        NDArray union = area.expandDims(2).add(predictedArea).sub(shared);
        // A union of no pixels has no intersection either: 0 / 1.
        return shared.div(union.maximum(Scalars.like(union, 1)));
    }
}
