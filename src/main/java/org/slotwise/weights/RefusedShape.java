package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.slotwise.internal.Check;

/**
 * Leaves an array as it is, unless it has the shape that it has in a model of the same names which
 * computes something else.
 */
final class RefusedShape implements Conversion {

    private final Shape shape;
    private final String why;

    /** The reason ends the sentence that begins with the array's name and shape. */
    RefusedShape(Shape shape, String why) {
        this.shape = shape;
        this.why = why;
    }

    private NDArray checked(NDArray array) {
        Check.option(!array.getShape().equals(shape), "is " + shape + ", " + why);
        return array;
    }

    @Override
    public List<NDArray> apply(NDArray array) {
        return List.of(checked(array));
    }

    @Override
    public NDArray revert(List<NDArray> arrays) {
        return checked(arrays.get(0));
    }
}
