package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * How the values of one array of another implementation become those of one or several arrays here,
 * and back. A {@link NameMap} applies it without a graph and copies what it gives, so that views
 * and intermediate arrays are allowed.
 *
 * <p>Those of Keras are in {@link KerasConversions}.
 */
public interface Conversion {

    /**
     * Converts to the layout of this library.
     *
     * @param array an array of the other implementation
     * @return as many arrays as the rule has names
     * @throws IllegalArgumentException if the array cannot be represented here
     */
    List<NDArray> apply(NDArray array);

    /**
     * Converts back.
     *
     * @param arrays as many arrays as the rule has names, in their order
     * @return the array of the other implementation
     * @throws IllegalArgumentException if the arrays cannot be represented there
     */
    NDArray revert(List<NDArray> arrays);

    /**
     * Nothing changes but the name.
     *
     * @return the conversion
     */
    static Conversion none() {
        return axes();
    }

    /**
     * The axes change their order, as in {@code numpy.transpose}.
     *
     * @param order where each axis comes from; nothing for all as they are
     * @return the conversion
     */
    static Conversion axes(int... order) {
        return new AxesConversion(order);
    }

    /**
     * A standard deviation becomes its logarithm: {@code log |sigma|}, since a normal distribution
     * does not know the sign. Back comes {@code exp}.
     *
     * @return the conversion
     */
    static Conversion logarithm() {
        return new LogarithmConversion();
    }

    /**
     * A convolution of 1 x 1 becomes a linear map: (out, in, 1, 1) to (out, in). What has one axis
     * or two stays; back, what has two gets four.
     *
     * @return the conversion
     */
    static Conversion pointwise() {
        return new PointwiseConversion();
    }
}
