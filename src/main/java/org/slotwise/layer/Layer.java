package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Pass;

/**
 * A part of a block: an equation, and parameters of the block under names of its own.
 *
 * <p>A layer computes in the call of the block that it is part of: what it makes is freed with what
 * the block makes, and whether a graph is recorded is the block's affair. {@link LayerBlock} makes
 * a DJL block of it, to be used by itself.
 */
@FunctionalInterface
public interface Layer {

    /** What stands where a layer was left out: it gives back what it is given. */
    Layer NONE = (pass, x) -> x;

    /**
     * Computes the layer.
     *
     * @param pass the call of the block
     * @param x the input, in the shape that the layer documents
     * @return the output; x itself where the layer changes nothing
     */
    NDArray apply(Pass pass, NDArray x);
}
