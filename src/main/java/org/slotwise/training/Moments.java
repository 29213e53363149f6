package org.slotwise.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * The running moments of one parameter's gradient. They live in a manager of their own below the
 * parameter's: no scope frees them, and they end with the parameter.
 */
final class Moments implements AutoCloseable {

    private final NDManager manager;
    private final NDArray first;
    private final NDArray second;
    private int steps;
    private boolean used;

    private Moments(NDArray weight) {
        manager = weight.getManager().newSubManager(weight.getDevice());
        first = zeros(manager, weight);
        second = zeros(manager, weight);
    }

    private static NDArray zeros(NDManager manager, NDArray like) {
        NDArray array = Scalars.full(manager, like.getShape(), 0, like.getDataType());
        NDScope.unregister(array);
        return array;
    }

    /** Moments of a parameter that was never updated. */
    static Moments zeros(NDArray weight) {
        return new Moments(weight);
    }

    /** Copies of saved moments, on the weight's device. */
    static Moments of(SavedMoments saved, NDArray weight) {
        Moments moments = zeros(weight);
        Ops.overwrite(moments.first, saved.first());
        Ops.overwrite(moments.second, saved.second());
        moments.steps = saved.steps();
        return moments;
    }

    /** The same moments for a weight that must be of the same form. */
    Moments on(String id, NDArray weight) {
        Device device = first.getDevice();
        if (weight.getDevice().equals(device)) {
            return this;
        }
        // Copies of a parameter on several devices would each be updated with moments of their
        // own, which nobody could save.
        Check.option(
                !used,
                "Adam: parameter "
                        + id
                        + " must stay on "
                        + device
                        + ", where its moments are, got "
                        + weight.getDevice()
                        + "; a trainer must have one device: optDevices(new Device[] {device})");
        Moments moved = of(new SavedMoments(first, second, steps), weight);
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

    NDArray first() {
        return first;
    }

    NDArray second() {
        return second;
    }

    @Override
    public void close() {
        manager.close();
    }
}
