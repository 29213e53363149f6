package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Pass;

/** A part of a network that sees slots: a map (B, C, h, w) becomes one of the same shape. */
@FunctionalInterface
interface SlotLayer {

    /** What stands where there is no attention. */
    SlotLayer NONE = (pass, x, told) -> x;

    /** A new array; x itself if nothing changes. */
    NDArray apply(Pass pass, NDArray x, Told told);
}
