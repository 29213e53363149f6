package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;

/**
 * What a U-Net has at one size, on one of its ways.
 *
 * @param stages residual blocks, each with what follows it
 * @param resize to the next level's size; null at the last one
 */
record UNetLevel(List<Stage> stages, @Nullable Layer resize) {

    /** A residual block, and the attention after it. */
    record Stage(ResnetBlock residual, SlotLayer attention) {

        /** Of a map, silu of the time's embedding, and slots: a new array. */
        NDArray apply(Pass pass, NDArray x, NDArray e, Told told) {
            try (Scope scope = new Scope()) {
                NDArray h = residual.apply(pass, x, e);
                return scope.keep(Scope.next(h, attention.apply(pass, h, told)));
            }
        }
    }
}
