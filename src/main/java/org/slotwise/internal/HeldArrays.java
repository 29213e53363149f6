package org.slotwise.internal;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;

/**
 * Arrays that a {@link LoadedModule} is given in many calls: one list in the engine, which costs a
 * call as much as a single array does. It belongs to a manager, until it is closed.
 */
public final class HeldArrays implements AutoCloseable {

    private final NDManager owner;
    private final String name = NDManager.nextUid();
    private final IValue list;

    /**
     * Makes a list of arrays, which may be closed then.
     *
     * @param owner closes the list, if nobody did before
     * @param arrays the arrays, of any layout
     */
    public HeldArrays(NDManager owner, NDList arrays) {
        this.owner = owner;
        list =
                IValue.listFrom(
                        arrays.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new));
        owner.attachInternal(name, list);
    }

    /** The list in the engine, for a call. */
    IValue list() {
        return list;
    }

    /** Frees the list, and the arrays that nobody else has. */
    @Override
    public void close() {
        owner.detachInternal(name);
        list.close();
    }
}
