package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.slotwise.internal.Check;

/** The weight of a convolution of 1 x 1 is that of a linear map; a bias stays. */
final class PointwiseConversion implements Conversion {

    @Override
    public List<NDArray> apply(NDArray array) {
        Shape s = array.getShape();
        if (s.dimension() <= 2) {
            return List.of(array);
        }
        Check.option(
                s.dimension() == 4 && s.get(2) == 1 && s.get(3) == 1,
                "must be (out, in, 1, 1), got " + s);
        return List.of(array.reshape(s.get(0), s.get(1)));
    }

    @Override
    public NDArray revert(List<NDArray> arrays) {
        NDArray array = arrays.get(0);
        Shape s = array.getShape();
        return s.dimension() == 2 ? array.reshape(s.get(0), s.get(1), 1, 1) : array;
    }
}
