package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;

/**
 * One call of a block: where its parameters' values come from, and whether it is being trained.
 * {@link ConfiguredBlock#compute} makes it, and the layers that the block is made of compute with
 * it.
 */
public final class Pass {

    private final ConfiguredBlock block;
    private final ParameterStore store;
    private final Device device;
    private final boolean training;

    Pass(ConfiguredBlock block, ParameterStore store, Device device, boolean training) {
        this.block = block;
        this.store = store;
        this.device = device;
        this.training = training;
    }

    /**
     * A parameter's value, on the device of the block's main input.
     *
     * @param parameter a parameter of the block
     * @return its value, which belongs to the store
     */
    public NDArray value(Parameter parameter) {
        return block.fetch(store, parameter, device, training);
    }

    /**
     * The value of a parameter that may have been left out.
     *
     * @param parameter a parameter of the block, or null
     * @return its value, or null
     */
    public @Nullable NDArray valueOrNull(@Nullable Parameter parameter) {
        return parameter == null ? null : value(parameter);
    }

    /**
     * Whether the block is being trained.
     *
     * @return true in training
     */
    public boolean training() {
        return training;
    }

    /**
     * Where the values are, for blocks inside the block that are called in a form of their own.
     *
     * @return the store
     */
    public ParameterStore store() {
        return store;
    }

    /**
     * Calls a block inside the block.
     *
     * @param child a child
     * @param inputs what it takes
     * @return the one array that it gives
     */
    public NDArray forward(Block child, NDArray... inputs) {
        return child.forward(store, new NDList(inputs), training).singletonOrThrow();
    }
}
