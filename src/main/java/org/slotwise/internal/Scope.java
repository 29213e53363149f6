package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import java.util.ArrayList;
import java.util.List;

/**
 * Frees every array that this thread creates while the scope is open, except those that are kept.
 *
 * <p>In DJL the result of an operation lives in the manager of its first operand until that manager
 * closes: garbage collection never frees it. {@link NDScope} frees earlier; this class adds what a
 * block needs on top of it: a kept array is handed to the enclosing scope, if there is one, so that
 * scopes nest, and can be given to another manager at the same time.
 *
 * <p>Closing an array frees the handle only: what a recorded graph still needs for its gradients is
 * counted by the engine and stays.
 */
public final class Scope implements AutoCloseable {

    private final NDScope scope = new NDScope();
    private final List<NDArray> kept = new ArrayList<>(2);

    /** Opens a scope in this thread. */
    public Scope() {}

    /**
     * Keeps an array that was created in this scope.
     *
     * @param array an array created since this scope was opened, never one that came from outside
     * @return the same array
     */
    public NDArray keep(NDArray array) {
        NDScope.unregister(array);
        kept.add(array);
        return array;
    }

    /**
     * Keeps an array that was created in this scope, and gives it to a manager.
     *
     * @param array an array created since this scope was opened, never one that came from outside
     * @param manager the manager that owns the array from now on
     * @return the same array
     */
    public NDArray keep(NDArray array, NDManager manager) {
        keep(array);
        if (array.getManager() != manager) {
            array.attach(manager);
        }
        return array;
    }

    /**
     * Takes an array out of the scopes of this thread: whoever holds it closes it, or gives it to a
     * manager.
     *
     * @param array an array created since the innermost scope was opened
     * @return the same array
     */
    public static NDArray release(NDArray array) {
        NDScope.unregister(array);
        return array;
    }

    /**
     * Frees an array that what follows from it no longer needs, before its scope ends.
     *
     * @param used an array of this thread's scope, of no use afterwards
     * @param next what was made of it; may be the same
     * @return next
     */
    public static NDArray next(NDArray used, NDArray next) {
        if (used != next) {
            used.close();
        }
        return next;
    }

    /** Frees the arrays of this scope that were not kept. */
    @Override
    public void close() {
        scope.close();
        kept.forEach(NDScope::register);
    }
}
