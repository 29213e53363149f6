package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** One parameter's part of an optimizer's state as named arrays, in PyTorch's words. */
record MomentNames(String who, String parameter, List<String> moments) {

    private String step() {
        return parameter + ".step";
    }

    private String moment(int index) {
        return parameter + "." + moments.get(index);
    }

    /** The names of all of the parameter's arrays. */
    List<String> all() {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < moments.size(); i++) {
            names.add(moment(i));
        }
        names.add(step());
        return names;
    }

    /** Adds copies of the parameter's moments to a state. */
    void write(Moments own, NDManager manager, Map<String, NDArray> state) {
        for (int i = 0; i < moments.size(); i++) {
            NDArray copy = Scalars.ownMemory(own.of(i));
            copy.attach(manager);
            state.put(moment(i), copy);
        }
        state.put(step(), Scalars.full(manager, new Shape(1), own.steps(), DataType.INT64));
    }

    /**
     * Finds the parameter's arrays in a state.
     *
     * @return null if there are none
     * @throws IllegalArgumentException if some are missing, or do not fit the weight
     */
    @Nullable SavedMoments read(NDArray weight, Map<String, NDArray> state) {
        if (all().stream().map(state::get).allMatch(Objects::isNull)) {
            return null;
        }
        List<NDArray> arrays = new ArrayList<>();
        for (int i = 0; i < moments.size(); i++) {
            arrays.add(fitting(moment(i), weight, state));
        }
        return new SavedMoments(arrays, steps(state));
    }

    private NDArray fitting(String name, NDArray weight, Map<String, NDArray> state) {
        NDArray moment = Check.present(who, name, state.get(name));
        Check.option(
                moment.getShape().equals(weight.getShape()),
                who + ": " + name + " must be " + weight.getShape() + ", got " + moment.getShape());
        Check.type(who, name, moment, weight.getDataType(), " as the parameter");
        return moment;
    }

    private int steps(Map<String, NDArray> state) {
        NDArray array = Check.present(who, step(), state.get(step()));
        double steps = array.size() == 1 ? Ops.read(array)[0] : Double.NaN;
        Object found = array.size() == 1 ? steps : array.getShape();
        Check.option(
                steps >= 1 && steps <= Integer.MAX_VALUE && steps == Math.rint(steps),
                who + ": " + step() + " must be one whole number from 1, got " + found);
        return (int) steps;
    }
}
