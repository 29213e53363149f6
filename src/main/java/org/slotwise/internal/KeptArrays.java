package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;

/**
 * Small constant arrays that are asked for again and again, and take many calls of the engine to
 * make: made once, and copied for whoever asks. They live as long as the process, so there are not
 * many of them; what comes after is made anew each time.
 */
public final class KeptArrays {

    private static final int MOST_ARRAYS = 64;
    private static final long MOST_NUMBERS = 1 << 16;

    private static final NDManager OWNER = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    private static final ConcurrentMap<Object, NDArray> KEPT = new ConcurrentHashMap<>();

    private KeptArrays() {}

    /**
     * A copy of a constant.
     *
     * @param key what tells it from all others: a record of its own class, with device and type
     * @param size how many numbers it has
     * @param manager the owner of the copy
     * @param make makes it, owned by a manager that it is given
     * @return an array of the manager's, which the caller may close or change
     */
    public static NDArray copy(
            Record key, long size, NDManager manager, Function<NDManager, NDArray> make) {
        NDArray kept = KEPT.get(key);
        if (kept == null) {
            if (size > MOST_NUMBERS || KEPT.size() >= MOST_ARRAYS) {
                return make.apply(manager);
            }
            kept = KEPT.computeIfAbsent(key, k -> constant(make.apply(OWNER)));
        }
        NDArray copy = kept.duplicate();
        copy.attach(manager);
        return copy;
    }

    /** Takes an array out of a scope that happens to be open in this thread. */
    private static NDArray constant(NDArray array) {
        NDScope.unregister(array);
        return array;
    }
}
