package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** One parameter's part of the state of {@link Adam} as named arrays, in PyTorch's words. */
record SavedMoments(NDArray first, NDArray second, int steps) {

    private static final String WHO = "Adam";
    private static final String FIRST = ".exp_avg";
    private static final String SECOND = ".exp_avg_sq";
    private static final String STEP = ".step";

    /** The names of a parameter's arrays. */
    static List<String> names(String parameter) {
        return List.of(parameter + FIRST, parameter + SECOND, parameter + STEP);
    }

    /** Adds copies of a parameter's moments to a state. */
    static void write(
            String parameter, Moments moments, NDManager manager, Map<String, NDArray> state) {
        state.put(parameter + FIRST, copy(moments.first(), manager));
        state.put(parameter + SECOND, copy(moments.second(), manager));
        state.put(
                parameter + STEP,
                Scalars.full(manager, new Shape(1), moments.steps(), DataType.INT64));
    }

    private static NDArray copy(NDArray array, NDManager manager) {
        NDArray copy = Scalars.ownMemory(array);
        copy.attach(manager);
        return copy;
    }

    /**
     * Finds a parameter's arrays in a state.
     *
     * @return null if there are none
     * @throws IllegalArgumentException if some are missing, or do not fit the weight
     */
    static @Nullable SavedMoments read(
            String parameter, NDArray weight, Map<String, NDArray> state) {
        if (names(parameter).stream().map(state::get).allMatch(Objects::isNull)) {
            return null;
        }
        return new SavedMoments(
                moment(parameter + FIRST, weight, state),
                moment(parameter + SECOND, weight, state),
                steps(parameter + STEP, state));
    }

    private static NDArray moment(String name, NDArray weight, Map<String, NDArray> state) {
        NDArray moment = Check.present(WHO, name, state.get(name));
        Check.option(
                moment.getShape().equals(weight.getShape()),
                WHO + ": " + name + " must be " + weight.getShape() + ", got " + moment.getShape());
        Check.type(WHO, name, moment, weight.getDataType(), " as the parameter");
        return moment;
    }

    private static int steps(String name, Map<String, NDArray> state) {
        NDArray array = Check.present(WHO, name, state.get(name));
        double steps = array.size() == 1 ? Ops.read(array)[0] : Double.NaN;
        Object found = array.size() == 1 ? steps : array.getShape();
        Check.option(
                steps >= 1 && steps <= Integer.MAX_VALUE && steps == Math.rint(steps),
                WHO + ": " + name + " must be one whole number from 1, got " + found);
        return (int) steps;
    }
}
