package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.slotwise.internal.Scalars;

/** Values are multiplied by a number. */
final class ScaleConversion implements Conversion {

    private final double factor;

    /** The number, not 0. */
    ScaleConversion(double factor) {
        this.factor = factor;
    }

    @Override
    public List<NDArray> apply(NDArray array) {
        return List.of(array.mul(Scalars.like(array, factor)));
    }

    @Override
    public NDArray revert(List<NDArray> arrays) {
        NDArray array = arrays.get(0);
        return array.mul(Scalars.like(array, 1 / factor));
    }
}
