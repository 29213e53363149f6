package org.slotwise.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * The running moments of one parameter's gradient. They live in a manager of their own below the
 * parameter's: no scope frees them, and they end with the parameter.
 */
final class Moments implements AutoCloseable {

    private final NDManager manager;
    private final List<NDArray> arrays = new ArrayList<>(2);
    private int steps;
    private boolean used;

    private Moments(NDArray weight, int count) {
        manager = weight.getManager().newSubManager(weight.getDevice());
        for (int i = 0; i < count; i++) {
            arrays.add(zeros(manager, weight));
        }
    }

    private static NDArray zeros(NDManager manager, NDArray like) {
        NDArray array = Scalars.full(manager, like.getShape(), 0, like.getDataType());
        NDScope.unregister(array);
        return array;
    }

    /** Moments of a parameter that was never updated. */
    static Moments zeros(NDArray weight, int count) {
        return new Moments(weight, count);
    }

    /** Copies of saved moments, on the weight's device. */
    static Moments of(SavedMoments saved, NDArray weight) {
        Moments moments = zeros(weight, saved.arrays().size());
        for (int i = 0; i < saved.arrays().size(); i++) {
            Ops.overwrite(moments.of(i), saved.arrays().get(i));
        }
        moments.steps = saved.steps();
        return moments;
    }

    /** The same moments for a weight that must be of the same form. */
    Moments on(String who, String id, NDArray weight) {
        Device device = of(0).getDevice();
        if (weight.getDevice().equals(device)) {
            return this;
        }
        // Copies of a parameter on several devices would each be updated with moments of their
        // own, which nobody could save.
        Check.option(
                !used,
                who
                        + ": parameter "
                        + id
                        + " must stay on "
                        + device
                        + ", where its moments are, got "
                        + weight.getDevice()
                        + "; a trainer must have one device: optDevices(new Device[] {device})");
        Moments moved = of(new SavedMoments(arrays, steps), weight);
        close();
        return moved;
    }

    int next() {
        used = true;
        return ++steps;
    }

    int steps() {
        return steps;
    }

    /** One of them, in the optimizer's order. */
    NDArray of(int index) {
        return arrays.get(index);
    }

    @Override
    public void close() {
        manager.close();
    }
}
